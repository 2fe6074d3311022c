"Lessons 2 and 4 against NumPy: what a shape means, and what shapes make of each other."
import re

import numpy as np
import torch
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, mutually_broadcastable_shapes

from pixelsim.broadcasting import broadcast_shape, explain_broadcast
from pixelsim.tensors import explain_shape


@given(x=arrays(st.sampled_from([np.uint8, np.int64, np.float32, np.float64, np.bool_]), array_shapes(min_dims=0, max_dims=4)), data=st.data())
def test_explain_shape(x, data):
    "Arrays and tensors of any rank, transposed, strided, and arrays reversed: the table says what NumPy knows."
    axes = data.draw(st.permutations(range(x.ndim)))
    x = np.asarray(x.transpose(axes)[tuple(slice(None, None, data.draw(st.sampled_from([1, 2, -1]))) for _ in axes)])
    stride = tuple(s // x.itemsize for s in x.strides)
    for thing in [x] if min(stride, default=0) < 0 else [x, torch.from_numpy(x)]:  # torch knows no negative strides
        rows = explain_shape(thing).rows
        assert [row[:2] for row in rows] == [
            ["rank", str(x.ndim)], ["shape", str(x.shape)], ["dtype", x.dtype.name], ["stride", str(stride)],
            ["contiguous", "yes" if x.flags.c_contiguous else "no"], ["device", "cpu"]]
        assert str(x.ndim) in rows[0][2] and rows[1][2].endswith(f": {x.size:,} elements") and rows[2][2].endswith(f"= {x.nbytes:,} bytes")


def test_explain_shape_by_hand():
    "Rank 0 is explained too, and types that NumPy does not know."
    rows = explain_shape(torch.tensor(2.5, dtype=torch.bfloat16)).rows
    assert rows[:3] == [["rank", "0", "numbers needed to name one element: 0"], ["shape", "()", "no axes: 1 elements"],
                        ["dtype", "bfloat16", "2 × 1 = 2 bytes"]]
    assert [row[1] for row in explain_shape(torch.zeros(2, 3, device="meta")).rows[3:]] == ["(3, 1)", "yes", "meta"]


def numpy_says(*shapes):
    "NumPy's broadcast shape, or None if the shapes do not fit."
    try: return np.broadcast_shapes(*shapes)
    except ValueError: return None


SHAPES = st.lists(st.lists(st.sampled_from([0, 1, 1, 2, 3]), max_size=4).map(tuple), max_size=4) \
    | mutually_broadcastable_shapes(num_shapes=3, min_side=0).map(lambda s: list(s.input_shapes))


@settings(max_examples=200)
@given(shapes=SHAPES)
def test_what_shapes_make_of_each_other(shapes):
    """NumPy's result; or an error that names an axis that does not fit, with its sizes.

    In the table one row a shape, one column an axis; the outcome is the result, or stands under the axis that the error names."""
    wanted, table, rank = numpy_says(*shapes), explain_broadcast(*shapes), max(map(len, shapes), default=0)
    *rows, outcome = table.rows
    assert table.header == ["shape", *[f"axis {i}" for i in range(-rank, 0)]]
    for shape, (name, *cells) in zip(shapes, rows, strict=True):
        added = rank - len(shape)
        assert name == str(shape) and [cell[0] == "(" for cell in cells] == [True] * added + [False] * len(shape)
        changes = [[int(n) for n in cell.strip("()").split(" → ")] for cell in cells]
        assert [c[0] for c in changes] == [1] * added + [*shape]
        if wanted is not None: assert [c[-1] for c in changes] == [*wanted]
    if wanted is not None:
        assert broadcast_shape(*shapes) == broadcast_shape(*map(np.empty, shapes)) == broadcast_shape(*map(torch.empty, shapes)) == wanted
        assert outcome == ["result", *map(str, wanted)] and table.note == ""
    else:
        with pytest.raises(ValueError) as caught: broadcast_shape(*shapes)
        axis, sizes = re.search(r"axis (-\d+) has sizes ([\d and]+):", str(caught.value)).groups()
        there = [s[int(axis)] for s in shapes if len(s) >= -int(axis)]
        assert numpy_says(*[(n,) for n in there]) is None and [n for n in map(int, sizes.split(" and ")) if n != 1] == [n for n in there if n != 1]
        assert outcome == ["no result", *["fails" if i == int(axis) else "" for i in range(-rank, 0)]] and table.note == str(caught.value)


@pytest.mark.parametrize("whole", [np.int64, np.uint8, torch.tensor])
def test_sizes_of_any_integers(whole):
    assert broadcast_shape((whole(28), 28), (3, 1, 28)) == (3, 28, 28)
    assert repr(explain_broadcast((whole(28), 28), (3, 1, 28))) == repr(explain_broadcast((28, 28), (3, 1, 28)))
