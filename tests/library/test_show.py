"Pictures with fixed scales, and tables. What is refused is in `test_errors.py` and `test_arrays.py`."
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from hypothesis import strategies as st
from strategies import SIDES, UNIT

from pixelsim.show import show_difference, show_image, show_images, show_numbers
from pixelsim.table import Table

SHAPE = st.tuples(SIDES, SIDES)


@settings(max_examples=15)
@given(image=arrays(np.uint8, SHAPE) | arrays(np.float32, SHAPE, elements=UNIT))
def test_pictures_have_fixed_scales(image):
    "Whatever is in an image, 0 is white and full ink black; a difference goes from -1 to 1."
    full, other = 255 if image.dtype == np.uint8 else 1, image[::-1].copy()
    for a, b in ((image, other), (torch.from_numpy(image), torch.from_numpy(other))):
        for ax in (show_image(a), show_numbers(a), show_images([a, b])[0]):
            drawn = ax.images[0]
            assert drawn.get_clim() == (0, full) and drawn.cmap(0.) == (1, 1, 1, 1) and drawn.cmap(1.) == (0, 0, 0, 1)
            assert np.array_equal(drawn.get_array(), image)
        drawn = show_difference(a, b).images[0]
        assert drawn.get_clim() == (-1, 1)
        np.testing.assert_allclose(drawn.get_array(), (image.astype(float) - other.astype(float)) / full)
        plt.close("all")


def test_colors_of_a_difference():
    "Red where the first image has more ink, blue where the second has, white where they agree."
    image = show_difference(np.array([[255, 0, 9]], np.uint8), np.array([[0, 255, 9]], np.uint8)).images[0]
    (r, _, b), (r2, _, b2), white = image.to_rgba(image.get_array())[0, :, :3]
    assert r > b and b2 > r2 and white.min() > 0.95


def test_where_pictures_are_drawn():
    "On the axes given, with the title given, without ticks; else on new axes."
    image, (_, ax) = np.zeros((2, 3)), plt.subplots()
    for draw in (show_image, lambda x, **kw: show_difference(x, x, **kw)):
        assert draw(image, title="a three", ax=ax) is ax and ax.get_title() == "a three" and len(ax.get_xticks()) == 0
        assert draw(image) is not ax
    assert show_numbers(image, ax=ax) is ax


@pytest.mark.parametrize("n, columns, rows", [(1, 10, 1), (10, 10, 1), (11, 10, 2), (7, 3, 3)])
def test_show_images(n, columns, rows):
    "One set of axes for each image of whatever lists them, of any sizes, in rows; what is left of the last row is blank; titles above their images."
    images = [np.full((2, 2 + i), i / n) for i in range(n)]
    axs = show_images(iter(images), titles=range(n), columns=columns)
    every = axs[0].figure.axes
    assert axs.shape == (n,) and len(every) == rows * min(columns, n)
    assert [a.get_subplotspec().rowspan.start for a in axs] == [i // columns for i in range(n)]
    assert [a.axison for a in every] == [True] * n + [False] * (len(every) - n)
    assert [a.get_title() for a in axs] == [str(i) for i in range(n)]
    for ax, image in zip(axs, images): np.testing.assert_allclose(ax.images[0].get_array(), image, atol=1e-6)
    assert {a.get_title() for a in show_images(images, columns=columns)} == {""}


@pytest.mark.parametrize("image, texts", [
    (np.array([[0, 29], [166, 255]], np.uint8), ["0", "29", "166", "255"]),
    (np.array([[0, .25], [.126, 1]]), [".00", ".25", ".13", "1.00"])])
def test_show_numbers(image, texts):
    "Each pixel has its number on it, readable on its color, and rows and columns are numbered from the corner given."
    ax = show_numbers(image, top=4, left=10)
    assert [t.get_text() for t in ax.texts] == texts
    assert [t.get_position() for t in ax.texts] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert [t.get_color() for t in ax.texts][::3] == ["black", "white"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["4", "5"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["10", "11"]


def test_table():
    "As text the columns are aligned; as Markdown a bar in a cell is escaped; the note stands below."
    table = Table(["digit", "n"], [[3, 6131], ["a|b", ""]], note="That is all.")
    assert repr(table) == "digit  n\n─────  ────\n3      6131\na|b\nThat is all."
    assert table._repr_markdown_() == "| digit | n |\n| --- | --- |\n| 3 | 6131 |\n| a\\|b |  |\n\nThat is all."
    assert repr(Table(["x"], [])) == "x\n─" and Table(["x"], [])._repr_markdown_() == "| x |\n| --- |"
    with pytest.raises(ValueError, match=r"each row should have 2 cells, got 1: \['1'\]"): Table(["x", "y"], [[1, 2], [1]])
