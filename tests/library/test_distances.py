"L1, L2 and the source's `mnist_distance` against SciPy: values, what broadcasts and what must not, slopes."
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from strategies import two_stacks

from pixelsim.accuracy import mnist_distance
from pixelsim.distances import l1_distance, l2_distance
from pixelsim.pixels import to_float

ALL = pytest.mark.parametrize("distance", [l1_distance, l2_distance, mnist_distance])


@pytest.mark.parametrize("distance, metric, power", [(l1_distance, "cityblock", 1), (l2_distance, "euclidean", .5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@given(data=st.data())
def test_distances(distance, metric, power, dtype, data):
    "SciPy's distances of all pairs, through broadcasting of leading axes; symmetric; zero to itself; uint8 as floats."
    a, b = data.draw(two_stacks(dtype))
    flat = [(x.astype(float) / (255 if dtype == np.uint8 else 1)).reshape(len(x), -1) for x in (a, b)]
    wanted = cdist(*flat, metric) / flat[0].shape[1]**power
    a, b = torch.from_numpy(a), torch.from_numpy(b)
    found = distance(a[:, None], b)
    assert found.shape == wanted.shape and found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5, atol=1e-6)
    assert torch.equal(found, distance(b, a[:, None])) and torch.equal(found, distance(to_float(a)[:, None], b))
    assert distance(a, a).count_nonzero() == 0
    assert distance(a[0], b[0]).shape == () and distance(a[None, :, None], b[None]).shape == (1, *wanted.shape)


@given(pair=two_stacks(np.float32))
def test_mnist_distance(pair):
    "To the bit the source's `(a-b).abs().mean((-1,-2))`, also in float64."
    for a, b in (map(torch.from_numpy, pair), (torch.from_numpy(x).double() for x in pair)):
        assert torch.equal(mnist_distance(a[:, None], b), (a[:, None]-b).abs().mean((-1,-2)))


# Shapes that broadcast

@ALL
@pytest.mark.parametrize("shape", [(5,), (5, 1), (1, 5), (1, 1), (), (3, 5, 1)])
def test_only_leading_axes_broadcast(distance, shape):
    "Torch would stretch each of these over the other image; here rows and columns have to match."
    short, image = torch.rand(shape), torch.rand(5, 5)
    assert (short - image).shape[-2:] == (5, 5)
    for pair in ((short, image), (image, short)):
        with pytest.raises(ValueError, match="one size") as caught: distance(*pair)
        assert str(shape) in str(caught.value) and "(5, 5)" in str(caught.value)
    if len(shape) < 2:  # two rows of pixels, or two pixels, are not two images
        with pytest.raises(ValueError, match="one size"): distance(short, short)


@ALL
def test_stacks_of_different_lengths(distance):
    "Three images and six do not go together: a ValueError with both shapes. Every pair of them, by an axis of size 1, does."
    three, six = torch.rand(3, 2, 2), torch.rand(6, 2, 2)
    assert distance(three[:, None], six).shape == (3, 6)
    with pytest.raises(ValueError, match=r"\(3, 2, 2\) and \(6, 2, 2\).*a\[:, None\]"): distance(three, six)
    for empty in (three[:, :0], three[..., :0]):  # the mean of no differences is undefined
        with pytest.raises(ValueError, match="no pixels"): distance(empty, empty)


@pytest.mark.parametrize("swapped", [False, True])
def test_slopes_of_l2(swapped):
    "Zero, and so finite, where the images are equal, though √0 has none; of √(Σd²/n) elsewhere d / (n √(Σd²/n))."
    image, other = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(0)) / 2 + 0.25
    both = torch.stack([image, other]).requires_grad_()
    l2_distance(*(image, both) if swapped else (both, image)).sum().backward()
    difference = (other - image).double().numpy()
    assert both.grad[0].count_nonzero() == 0
    np.testing.assert_allclose(both.grad[1], difference / (12 * np.sqrt((difference**2).mean())), atol=1e-6)
