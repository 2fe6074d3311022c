"The matrix that opens: the fullest cell, recall and precision against NumPy and scikit-learn; the screen against Python; keys, clicks and links."
import numpy as np
import pytest
from figure_pages import settled, show, texts, trait
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from pixelsim.course.figure_matrix import ConfusionGrid


@pytest.fixture(scope="module")
def grid(): return ConfusionGrid()


def test_the_arithmetic_is_scikit_learns(arithmetic):
    "300 sets of answers, some with classes that are never said or never were: recall, precision, and the fullest cell beside the diagonal."
    random, cases = np.random.default_rng(7), []
    for _ in range(300):
        k, n = int(random.integers(2, 11)), int(random.integers(1, 40))
        cases.append((k, random.integers(0, k, n), random.integers(0, k, n)))
    matrices = [confusion_matrix(was, said, labels=range(k)) for k, was, said in cases]
    found = arithmetic("matrix", "return data.map((counts) => [counts.map((_, i) => m.recallOf(counts, i)), counts.map((_, i) => m.precisionOf(counts, i)), m.fullest(counts)])",
                       [matrix.tolist() for matrix in matrices])
    for (k, was, said), matrix, (recall, precision, fullest) in zip(cases, matrices, found):
        right_precision, right_recall, _, _ = precision_recall_fscore_support(was, said, labels=range(k), zero_division=np.nan)
        np.testing.assert_allclose(np.array(recall, float), right_recall)
        np.testing.assert_allclose(np.array(precision, float), right_precision)
        off = matrix - np.diag(matrix.diagonal())
        off[np.arange(k), np.arange(k)] = -1
        assert fullest == [*map(int, np.unravel_index(off.argmax(), off.shape))]


@pytest.mark.parametrize("text, cell", [("5 3", [5, 3]), ("53", [5, 3]), ("5,3", [5, 3]), (" (5, 3) ", [5, 3]), ("5 → 3", [5, 3]), ("5->3", [5, 3]), ("5", None), ("5 5", None), ("5 12", None), ("a b", None), ("1 2 3", None), ("", None)])
def test_a_cell_is_read_as_people_type_it(arithmetic, text, cell): assert arithmetic("matrix", "return m.cellOf(data, [...'0123456789'])", text) == cell


@pytest.fixture(scope="module")
def digits_of():
    "Labels, what the nearest of ten means is by NumPy alone, and the images."
    from pixelsim.digits import load_mnist
    train, valid = [(part.images.numpy().reshape(-1, 784), part.labels) for part in load_mnist()]
    means = np.stack([train[0][train[1] == digit].mean(0) for digit in range(10)])
    far = {"L1": np.stack([np.abs(valid[0] - mean).mean(1) for mean in means], 1), "L2": np.stack([((valid[0] - mean) ** 2).mean(1) for mean in means], 1)}
    return valid[1], {name: table.argmin(1) for name, table in far.items()}, valid[0]


def test_the_screen_is_what_python_has(play, grid, digits_of):
    "Both rules, and 40 cells: counts, recall and precision, and as many images as Python has."
    was, said, images = digits_of
    page, random = play(grid), np.random.default_rng(3)
    for i in range(40):
        grid.rule, grid.picked = ("L1", "L2")[i % 2], random.integers(0, 10, 2).tolist()
        show(page, rule=grid.rule, picked=grid.picked)
        row, column = grid.picked
        matrix = confusion_matrix(was, said[grid.rule], labels=range(10))
        assert [int(text) for text in texts(page, "td[role=gridcell]")] == matrix.flatten().tolist() == grid.counts.flatten().tolist()
        assert texts(page, ".psf-gauge .psf-number") == [f"{matrix[row, row] / matrix[row].sum():.4f}", f"{matrix[column, column] / matrix[:, column].sum():.4f}"]
        assert page.locator(".psf-opens").count() == len(grid.opens) == min(4, matrix[row, column])
        behind = images[(was == row) & (said[grid.rule] == column)]
        assert all((behind == image).all(1).any() for image in grid.opens.numpy().reshape(-1, 784))


def test_a_click_opens_a_cell_and_its_images_come(play):
    "Before the guess nothing is given away, by number, name or color."
    page = play(ConfusionGrid(), opened=False)
    cells = page.locator("td[role=gridcell]").evaluate_all("all => all.map((each) => each.textContent + each.getAttribute('aria-label') + each.style.backgroundColor)")
    assert cells == [f"was {row}, said {column}rgb(255, 255, 255)" for row in range(10) for column in range(10)]
    page.get_by_role("button", name="just show me").click()
    settled(page)
    assert page.locator(".psf-says").inner_text() == "L2: of 980 images of a 0, 878 are called 0; 878 are right (recall 0.8959). Of 962 that are called 0, 878 are right (precision 0.9127)."
    page.get_by_role("gridcell", name="was 4, said 9: 116").click()
    settled(page)
    assert trait(page, "picked") == [4, 9] and page.locator(".psf-here").inner_text() == "116"
    page.wait_for_function("""() => { const all = [...document.querySelectorAll(".psf-opens")];  // the pictures are there, with ink on them
        return all.length === 4 && all.every((each) => each.getContext("2d").getImageData(0, 0, 28, 28).data.filter((v, i) => i % 4 === 0 && v < 128).length > 20); }""")
    page.get_by_role("button", name="the fullest cell").click()
    assert trait(page, "picked") == [5, 3]
    page.get_by_label("L1").check()
    page.get_by_role("button", name="the fullest cell").click()
    assert trait(page, "picked") == [2, 1]
