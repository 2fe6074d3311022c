"L1, L2 and the source's `mnist_distance` against SciPy: values, what broadcasts and what must not, slopes."
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from scipy.spatial.distance import cdist
from strategies import two_stacks

from pixelsim.accuracy import mnist_distance
from pixelsim.distances import l1_distance, l2_distance

ALL = pytest.mark.parametrize("distance", [l1_distance, l2_distance, mnist_distance])


@pytest.mark.parametrize("distance, metric, power", [(l1_distance, "cityblock", 1), (l2_distance, "euclidean", .5), (mnist_distance, "cityblock", 1)])
@given(pair=two_stacks(np.float32))
def test_distances(distance, metric, power, pair):
    "SciPy's distances of all pairs, through broadcasting of leading axes; symmetric; zero to itself. Of other types: test_arrays.py."
    wanted = cdist(*[x.reshape(len(x), -1).astype(float) for x in pair], metric) / pair[0][0].size**power
    a, b = map(torch.from_numpy, pair)
    found = distance(a[:, None], b)
    assert found.shape == wanted.shape and found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5, atol=1e-6)
    assert torch.equal(found, distance(b, a[:, None])) and distance(a, a).count_nonzero() == 0
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
    for a, b in ((short, image), (image, short), *[(short, short)] * (len(shape) < 2)):  # two pixels, or two rows of them, are no images
        with pytest.raises(ValueError, match=re.escape(f"one size, shape (..., h, w), got {(*a.shape,)} and {(*b.shape,)}")): distance(a, b)


@ALL
@pytest.mark.parametrize("of_a, of_b", [((5,), (3,)), ((5, 2), (3,)), ((5,), (3, 2)), ((5, 7), (3, 2))])
def test_every_pair_of_images(distance, of_a, of_b):
    "Stacks of different lengths do not go together: a ValueError with both shapes, and what it advises makes every pair."
    a, b = torch.rand(*of_a, 4, 6), torch.rand(*of_b, 4, 6)
    with pytest.raises(ValueError, match=re.escape(f"{(*of_a, 4, 6)} and {(*of_b, 4, 6)}")) as caught: distance(a, b)
    assert distance(eval(str(caught.value).partition("images pass ")[2]), b).shape == (*of_a, *of_b)


@ALL
@pytest.mark.parametrize("shape", [(3, 0, 2), (3, 2, 0)])
def test_the_mean_of_no_differences_is_undefined(distance, shape):
    with pytest.raises(ValueError, match="no pixels"): distance(torch.zeros(shape), torch.zeros(shape))


@pytest.mark.parametrize("swapped", [False, True])
def test_slopes_of_l2(swapped):
    "Zero, and so finite, where the images are equal, though √0 has none; of √(Σd²/n) elsewhere d / (n √(Σd²/n))."
    image, other = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(0)) / 2 + 0.25
    both = torch.stack([image, other]).requires_grad_()
    l2_distance(*(image, both) if swapped else (both, image)).sum().backward()
    difference = (other - image).double().numpy()
    assert both.grad[0].count_nonzero() == 0
    np.testing.assert_allclose(both.grad[1], difference / (12 * np.sqrt((difference**2).mean())), atol=1e-6)
