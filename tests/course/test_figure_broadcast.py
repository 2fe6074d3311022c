"Line up, stretch, or clash: shapes, strides, values and words against PyTorch, and the table by mouse and keys."
import itertools

import numpy as np
import pytest
import torch
from figure_pages import press, says, settled, texts, trait

from pixelsim.course.figure_broadcast import Broadcast

SIZES = (1, 1, 2, 3, 4, 0)


def random_shapes(n, most=4, seed=5):
    "Pairs and triples of shapes of rank 0 to 4, about half of which fit."
    random = np.random.default_rng(seed)
    return [[[int(random.choice(SIZES)) for _ in range(random.integers(0, most + 1))] for _ in range(random.integers(2, 4))] for _ in range(n)]


def by_torch(tensors):
    "What one operation after the other gives, or PyTorch's words."
    try: return sum(tensors[1:], start=tensors[0]), ""
    except RuntimeError as error: return None, str(error)


def test_shapes_and_words_are_pytorchs(arithmetic):
    "4,000 pairs and triples: the shape, or the error to the letter, and at which axes it clashes."
    cases = random_shapes(4000)
    found = arithmetic("broadcast", "return data.map((shapes) => m.broadcastOf(shapes))", cases)
    fitted = 0
    for shapes, answer in zip(cases, found):
        result, words = by_torch([torch.empty(shape) for shape in shapes])
        assert answer["words"] == words and answer["shape"] == (None if result is None else list(result.shape))
        sizes = [{n for n in across if n != 1} for across in itertools.zip_longest(*(shape[::-1] for shape in shapes), fillvalue=1)]
        assert answer["clashes"] == [-i - 1 for i, each in enumerate(sizes) if len(each) > 1]
        fitted += result is not None
    assert 1000 < fitted < 3000


def test_strides_sources_and_values_are_pytorchs(arithmetic):
    "1,000 that fit, under each operation: `expand` has the strides, and element by element NumPy has the values."
    cases = [shapes for shapes in random_shapes(4000, most=3, seed=6) if by_torch([torch.empty(shape) for shape in shapes])[1] == ""][:1000]
    random = np.random.default_rng(7)
    filled = [[random.normal(size=shape) for shape in shapes] for shapes in cases]
    found = arithmetic("broadcast", """return data.map(([shapes, values]) => {
        const { shape } = m.broadcastOf(shapes);
        return [shapes.map((own) => m.stridesOf(own, shape)), shapes.map((own) => m.sourcesOf(own, shape)), ["-", "+", "*", "/"].map((op) => m.resultsOf(shapes, values, op, shape))];
    })""", [[shapes, [x.flatten().tolist() for x in values]] for shapes, values in zip(cases, filled)])
    for shapes, values, (strides, sources, results) in zip(cases, filled, found):
        full = np.broadcast_shapes(*map(tuple, shapes))
        for k, shape in enumerate(shapes):
            expanded = torch.arange(int(np.prod(shape))).reshape(shape).expand(full)
            assert sources[k] == expanded.flatten().tolist()
            if 0 not in full and 1 not in full: assert strides[k] == list(expanded.stride())  # along an axis of size 1 no step is ever made
        for op, result in zip((np.subtract, np.add, np.multiply, np.divide), results):
            expected = values[0]
            for other in values[1:]: expected = op(expected, other)
            assert result == np.broadcast_to(expected, full).flatten().tolist()


def test_what_can_be_put_in_and_what_the_sentence_says():
    "Two or three shapes of at most six sizes up to a million, under four operations; with no kernel, the outcome or that they clash."
    for op, sign in zip("-+*/", "−+×/"):
        assert f"(2, 1) {sign} (3,), aligned at the right, has shape (2, 3). " in Broadcast((2, 1), (3,), op=op).as_html()
    html = Broadcast((2,), (3,), (1, 10**6)).as_html()
    assert "(2,) − (3,) − (1, 1000000), aligned at the right, is an error: the shapes clash. " in html and "%E2%9C%97" in html  # ✗
    assert Broadcast([1] * 6, (1,)).result == (1,) * 6
    for wrong in ([(1,)] * 4, [(1,) * 7, (1,)], [(1,), (10**6 + 1,)], [(-1,), (1,)]):
        with pytest.raises(ValueError): Broadcast(*wrong)


def test_presets_on_the_screen_are_what_python_says(play):
    "Each example: the row of the result, the code's error where it clashes, values where there are few."
    shown = Broadcast((1010, 28, 28), (28, 28))
    page = play(shown)
    for preset in shown.presets:
        page.get_by_label("Example").select_option(label=preset["name"])
        settled(page)
        shown.shapes = preset["shapes"]
        cells = texts(page, ".psf-result td")
        if shown.result is None:
            assert "✗ clash" in cells and page.locator(".psf-clash").inner_text() == "RuntimeError: " + by_torch([torch.empty(shape) for shape in preset["shapes"]])[1]
            continue
        assert cells == [str(n) for n in shown.result] and f"has shape {shown.result}" in says(page)
        assert page.get_by_role("grid", name="result").count() == (np.prod(shown.result) <= 36)
    assert trait(page, "shapes") == shown.presets[-1]["shapes"]


def test_the_four_foods(play):
    "The percentages of lesson 4, as shares with three decimals, and the cells that one of them came from."
    page = play(Broadcast((1,), (1,)))
    page.get_by_label("Example").select_option(label="four foods / their calories")
    settled(page)
    calories = np.array([[56, 0, 4.4, 68], [1.2, 104, 52, 8], [1.8, 135, 99, 0]])
    assert page.get_by_role("gridcell").all_inner_texts() == [f"{x:.3f}".replace("0.000", "0") for x in (calories / calories.sum(0)).flatten()]
    page.get_by_role("gridcell").nth(6).hover()
    settled(page)
    assert texts(page, ".psf-lit") == ["52", "155.400", "155.400", "155.400", "0.335"] and says(page).endswith("Here 52 / 155.400 = 0.335.")


def test_stepping_typing_and_keys(play):
    "An arrow steps a size, a shape can be typed, nonsense is refused, and the grid is walked as the Authoring Practices have it."
    page = play(Broadcast((2, 3), (3,)))
    page.get_by_role("spinbutton", name="b, axis -1").press("ArrowUp")
    settled(page)
    assert trait(page, "shapes") == [[2, 3], [4]] and page.locator(".psf-clash").inner_text() == "RuntimeError: The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1"
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "b, axis -1"
    for letter, typed in (("b", "(2, 1)"), ("c", "x"), ("c", "(1, 1, 1, 1, 1, 1, 1)")):
        page.get_by_label(letter, exact=True).fill(typed)
        page.keyboard.press("Tab")
        settled(page)
        assert trait(page, "shapes") == [[2, 3], [2, 1]]
        assert page.locator(".psf-locked .psf-complaint").inner_text() == (f"A shape holds at most 6 whole numbers, such as (1010, 28, 28); got {typed}." if letter == "c" else "")
    press(page, page.get_by_role("gridcell").first, "picked", [("ArrowRight", 1), ("ArrowDown", 4), ("ArrowDown", 4), ("End", 5), ("Home", 0), ("Escape", -1)])
    assert page.locator("[role=gridcell][tabindex='0']").count() == 1  # one stop for Tab
