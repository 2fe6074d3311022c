"Hypothesis' strategies: images, labels, and the many forms in which people hold an array of numbers."
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


def read_only(x):
    x.flags.writeable = False
    return x


def field(x):
    "One field of many records: its steps are no multiple of its size, and it is not aligned."
    records = np.zeros(x.shape, [("other", "u1"), ("gray", x.dtype)])
    records["gray"] = x
    return records["gray"]


def masked(x):
    "Its last number is not known."
    mask = np.zeros(x.shape, bool)
    mask.flat[-1] = True
    return np.ma.array(x, mask=mask)


def inference(x):
    with torch.inference_mode(): return x.clone()


# By name: a form for an array or a tensor that has values; those with a question mark may be refused, those with a cross have to be
ARRAYS = {
    "plain": lambda x: x, "Fortran": np.asfortranarray, "matrix": np.matrix, "reversed": lambda x: np.flip(np.flip(x).copy()),
    "stepped": lambda x: np.repeat(x, 2, x.ndim - 1)[..., 1::2], "read-only": read_only, "field": field,
    "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder()), "subclass": lambda x: x.view(OddArray),
    "stretched": lambda x: np.broadcast_to(x[:1], x.shape), "scalar?": lambda x: x.item() if x.ndim == 0 else x[()],
    "list?": lambda x: [*x], "tuple?": lambda x: (*x,), "numbers?": lambda x: x.tolist(), "like an array?": LikeAnArray,
    "both kinds?": lambda x: [torch.from_numpy(i.copy()) if n % 2 else i for n, i in enumerate(x)],
    "memory?": memoryview, "nothing masked?": np.ma.array, "masked×": masked, "objects×": lambda x: x.astype(object),
    "iterator?": lambda x: iter([*x]), "None×": lambda x: None}
TENSORS = {
    "tensor": lambda x: x, "stepped tensor": lambda x: x.repeat_interleave(2, -1)[..., 1::2], "gradient": lambda x: x.requires_grad_(),
    "transposed tensor": lambda x: x.mT.contiguous().mT, "stretched tensor": lambda x: x[:1].expand(x.shape),
    "parameter": lambda x: torch.nn.Parameter(x, x.is_floating_point()), "subclass of tensor": lambda x: x.as_subclass(OddTensor),
    "inference": inference, "negative bit": lambda x: torch.complex(torch.zeros_like(x), -x).conj().imag, "list of tensors?": lambda x: [*x],
    "with gradients?": lambda x: [*x.requires_grad_()], "lists of tensors?": lambda x: [[*row] for row in x], "meta×": lambda x: x.to("meta"),
    "sparse×": lambda x: x.to_sparse(), "rows×": lambda x: x.to_sparse_csr(), "imaginary×": lambda x: torch.complex(x.float(), x.float())}

GRAYS = ["uint8", "float16", "float32", "float64", "bfloat16"]  # the types that images can have
OTHERS = ["bool", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "complex64", "complex128", "longdouble",
          "float8_e4m3fn", "float8_e5m2", "str", "object", "datetime64[s]"]
NO_NUMPY = ["bfloat16", "float8_e4m3fn", "float8_e5m2"]
NO_TORCH = ["longdouble", "str", "object", "datetime64[s]"]


def held(thing):
    "The numbers that it holds now, in float64; None if they cannot be had."
    try: return np.array(thing.detach().double() if isinstance(thing, torch.Tensor) else thing, float)
    except (TypeError, ValueError, RuntimeError): return None


class Odd(NamedTuple):
    "Something with numbers in it."
    thing: object      # what is handed over
    grays: np.ndarray  # its values as grays from 0 to 1 in float64; None if it holds none, or may not be read
    must: bool         # has it to be taken, if its shape is right?
    shape: tuple       # its shape


@st.composite
def odd_arrays(draw, shapes):
    "Arrays and tensors of all types, forms and shapes, with values that images have and, now and then, one that they have not."
    dtype, shape = draw(st.sampled_from(GRAYS * 13 + OTHERS)), draw(shapes)
    x = draw(arrays(np.uint8, shape))
    if dtype in GRAYS[1:]:
        x = np.asarray(x / np.float32(255) if draw(st.booleans()) else draw(arrays(np.float32, shape, elements=st.floats(0, 1, width=16))))
        bad = draw(st.sampled_from([None] * 20 + [np.nan, np.inf, -np.inf, -0.5, 1.5, 255, -2.**-14]))
        if x.size and bad is not None: x.flat[draw(st.integers(0, x.size - 1))] = bad
    x = x.astype(np.float32 if dtype in NO_NUMPY else dtype)
    form = draw(st.sampled_from([*ARRAYS] * (dtype not in NO_NUMPY) + [*TENSORS] * (dtype not in NO_TORCH)))
    if form in TENSORS: x = torch.from_numpy(x).to(getattr(torch, dtype))
    if form[-1] == "?" and 0 in shape: form = "plain"  # lists of nothing have no shape
    try: thing = quietly((ARRAYS | TENSORS)[form], x)
    except (ValueError, TypeError, RuntimeError, IndexError, NotImplementedError): thing, form = x, "plain"  # not with this type or shape
    odd = Odd(thing, None, form[-1] not in "?×", shape)
    if form[-1] == "×" or dtype not in GRAYS: return odd
    grays = quietly(held, x if (values := quietly(held, thing)) is None else thing) / (255 if dtype == "uint8" else 1)
    return odd._replace(grays=grays) if ((grays >= 0) & (grays <= 1)).all() else odd
