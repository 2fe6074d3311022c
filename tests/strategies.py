"Hypothesis' strategies: images, labels, and the many forms in which people hold an array of numbers."
import tempfile
import warnings
from typing import NamedTuple

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

SIDES = st.integers(1, 4)
UNIT = st.floats(0, 1, width=32)
LABELS = [st.integers(-2**40, 2**40), st.text("aZ é3_", min_size=1, max_size=3)]  # np.unique, and so the classifier, sorts them


def stacks(dtype=np.uint8, n=st.integers(1, 6), h=SIDES, w=SIDES):
    "Stacks of random images, shape (n, h, w): uint8, or floats from 0 to 1."
    return arrays(dtype, st.tuples(n, h, w), elements=UNIT if np.dtype(dtype).kind == "f" else None)


@st.composite
def two_stacks(draw, dtype=np.uint8):
    "Two stacks of images of one size."
    h, w = st.just(draw(SIDES)), st.just(draw(SIDES))
    return draw(stacks(dtype, h=h, w=w)), draw(stacks(dtype, h=h, w=w))


@st.composite
def labeled(draw, dtype=np.uint8, least=2):
    "Images, a label for each, and the classes, each of which has an image, in any order."
    classes = draw(st.one_of(*[st.lists(kind, min_size=least, max_size=4, unique=True) for kind in LABELS]))
    labels = draw(st.permutations(classes + draw(st.lists(st.sampled_from(classes), max_size=6))))
    return draw(stacks(dtype, n=st.just(len(labels)))), labels, classes


# An array of numbers, and something that holds these numbers in some odd way

class OddTensor(torch.Tensor): "A subclass, as fastai's images are."


class OddArray(np.ndarray): "A subclass, as arrays with units are."


class LikeAnArray:
    "What is no array, but can be asked for one."
    def __init__(self, array): self.array = array

    def __array__(self, dtype=None, copy=None): return np.array(self.array, dtype)


def quietly(make, *args):
    "What NumPy and torch make with a warning that it will change, or go."
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(*args)


def between(x, room):
    "Every second element of something larger, made by `room(shape, filler)`, that holds what is not in x in between."
    large = room([2 * n + 1 for n in x.shape], 77)
    large[(..., *[slice(1, None, 2)] * x.ndim)] = x
    return large[(..., *[slice(1, None, 2)] * x.ndim)]


def read_only(x):
    x.flags.writeable = False
    return x


def unaligned(x):
    view = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def field(x):
    "One field of many records: its steps are no multiple of its size."
    records = np.zeros(x.shape, [("other", "u1"), ("gray", x.dtype)])
    records["gray"] = x
    return records["gray"]


def mapped(x):
    "The contents of a file."
    file = tempfile.TemporaryFile()
    file.write(x.tobytes())
    file.flush()
    return np.memmap(file, x.dtype, "r", shape=x.shape)


def masked(x):
    "Its last number is not known."
    mask = np.zeros(x.shape, bool)
    mask.flat[-1] = True
    return np.ma.array(x, mask=mask)


def windows(x):
    "Images that overlap in memory: each begins one row further down."
    views = np.lib.stride_tricks.sliding_window_view(np.concatenate([x[0], x[-1]]), x.shape[1], axis=0).swapaxes(1, 2)[:len(x)]
    if len(views) < len(x): raise ValueError("two images have not enough rows")
    return views


def inference(x):
    with torch.inference_mode(): return x.clone()


# By name: a form for an array or a tensor that has values; those with a question mark may be refused, those with a cross have to be
ARRAYS = {
    "plain": lambda x: x, "Fortran": np.asfortranarray, "transposed": lambda x: x.T.copy().T, "matrix": np.matrix,
    "reversed": lambda x: np.flip(np.flip(x).copy()), "stepped": lambda x: between(x, lambda n, f: np.full(n, f).astype(x.dtype)),
    "read-only": read_only, "unaligned": unaligned, "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder()), "field": field,
    "memory map": mapped, "subclass": lambda x: x.view(OddArray), "stretched": lambda x: np.broadcast_to(x[:1], x.shape),
    "windows": windows, "scalar?": lambda x: x.item() if x.ndim == 0 else x[()], "list?": lambda x: [*x], "tuple?": lambda x: (*x,),
    "both kinds?": lambda x: [torch.from_numpy(i.copy()) if n % 2 else i for n, i in enumerate(x)], "numbers?": lambda x: x.tolist(),
    "like an array?": LikeAnArray, "memory?": memoryview, "nothing masked?": np.ma.array, "masked×": masked,
    "objects×": lambda x: x.astype(object), "iterator?": lambda x: iter([*x]), "None×": lambda x: None}
TENSORS = {
    "tensor": lambda x: x, "transposed tensor": lambda x: x.permute(*range(x.ndim)[::-1]).clone(memory_format=torch.contiguous_format)
    .permute(*range(x.ndim)[::-1]), "stepped tensor": lambda x: between(x, x.new_full),
    "shifted": lambda x: torch.cat([x.new_zeros(3), x.flatten(), x.new_zeros(2)])[3:3 + x.numel()].view(x.shape),
    "gradient": lambda x: x.requires_grad_(), "computed": lambda x: x.requires_grad_() * 1,
    "parameter": lambda x: torch.nn.Parameter(x, x.is_floating_point()), "stretched tensor": lambda x: x[:1].expand(x.shape),
    "subclass of tensor": lambda x: x.as_subclass(OddTensor), "inference": inference,
    "negative bit": lambda x: torch.complex(torch.zeros_like(x), -x).conj().imag, "list of tensors?": lambda x: [*x],
    "with gradients?": lambda x: [*x.requires_grad_()], "lists of tensors?": lambda x: [[*row] for row in x],
    "meta×": lambda x: x.to("meta"), "sparse×": lambda x: x.to_sparse(), "rows×": lambda x: x.to_sparse_csr(),
    "imaginary×": lambda x: torch.complex(x.float(), x.float())}

GRAYS = ["uint8", "float16", "float32", "float64", "bfloat16"]  # the types that images can have
OTHERS = ["bool", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "complex64", "complex128", "longdouble",
          "float8_e4m3fn", "float8_e5m2", "str", "object", "datetime64[s]"]
NO_NUMPY = ["bfloat16", "float8_e4m3fn", "float8_e5m2"]
NO_TORCH = ["longdouble", "str", "object", "datetime64[s]"]


class Odd(NamedTuple):
    "Something with numbers in it."
    thing: object          # what is handed over
    grays: np.ndarray      # its values as grays from 0 to 1 in float64; None if it holds none, or may not be read
    must: bool             # has it to be taken, if its shape is right?
    dtype: str             # its type
    shape: tuple           # its shape

    def values(self):
        "What it holds now, as a plain array; None for anything but an array or an ordinary tensor."
        x = self.thing.data if isinstance(self.thing, np.ma.MaskedArray) else self.thing
        if isinstance(x, np.ndarray): return None if x.dtype == object else np.array(x)
        if not isinstance(x, torch.Tensor) or x.is_meta or x.is_complex() or x.layout != torch.strided: return None
        x = x.detach().resolve_neg().as_subclass(torch.Tensor)
        return (x.float() if self.dtype in NO_NUMPY else x).numpy().copy()


@st.composite
def odd_arrays(draw, shapes, gray=0.8):
    "Arrays and tensors of all types, forms and shapes, with values that images have and, now and then, one that they have not."
    dtype = draw(st.sampled_from(GRAYS if draw(st.floats(0, 1)) < gray else OTHERS))
    shape = draw(shapes)
    x = draw(arrays(np.uint8, shape))
    if dtype in NO_TORCH[1:]: x = x.astype(dtype)
    elif dtype != "uint8":
        x = x / np.float32(255) if draw(st.booleans()) else np.asarray(draw(arrays(np.float32, shape, elements=st.floats(0, 1, width=16))))
        if dtype in GRAYS and x.size and draw(st.integers(0, 3)) == 0:
            bad = draw(st.sampled_from([np.nan, np.inf, -np.inf, -0.5, 1.5, 255, -2.**-14]))
            x.flat[draw(st.integers(0, x.size - 1))] = bad
        x = x.astype(np.float32 if dtype in NO_NUMPY else dtype)
    form = draw(st.sampled_from([*(ARRAYS if dtype not in NO_NUMPY else {}), *(TENSORS if dtype not in NO_TORCH else {})]))
    if form in TENSORS: x = torch.from_numpy(np.array(x)).to(getattr(torch, dtype))
    if form[-1] == "?" and 0 in shape: form = "plain"  # lists of nothing have no shape
    try: thing = quietly((ARRAYS | TENSORS)[form], x)
    except (ValueError, TypeError, RuntimeError, IndexError, NotImplementedError): thing, form = x, "plain"  # not with this type or shape
    odd = Odd(thing, None, form[-1] not in "?×", dtype, shape)
    if form[-1] == "×" or dtype not in GRAYS: return odd
    values = odd.values()
    if values is None: values = x.detach().double().numpy() if isinstance(x, torch.Tensor) else x
    grays = np.array(values, np.float64) / (255 if dtype == "uint8" else 1)
    return odd._replace(grays=grays) if ((grays >= 0) & (grays <= 1)).all() else odd
