"Lesson 8 against SciPy: the linear form says what the nearest prototype under L2 is, and by how much."
import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from pixelsim.linear import linear_form


@pytest.mark.parametrize("k, height, width", [(1, 1, 1), (2, 28, 28), (10, 5, 7)])
def test_score_is_what_is_left_of_the_squared_distance(k, height, width):
    "Squared distances by SciPy, less the square of the image."
    random = torch.Generator().manual_seed(k)
    prototypes, images = torch.rand(k, height, width, generator=random), torch.rand(50, height, width, generator=random)
    weights, biases = linear_form(prototypes)
    assert weights.shape == (k, height * width) and biases.shape == (k,) and weights.dtype == biases.dtype == torch.float32
    flat = images.flatten(1)
    squared = cdist(flat.double(), prototypes.flatten(1).double(), "sqeuclidean")
    np.testing.assert_allclose((flat @ weights.T + biases).numpy(), flat.double().square().sum(1, keepdim=True).numpy() - squared, rtol=1e-4, atol=1e-3)


def test_bytes_are_brought_to_the_scale_of_floats():
    gray = torch.tensor([[[0, 255]], [[51, 0]]], dtype=torch.uint8)
    for one, other in zip(linear_form(gray), linear_form(gray.float() / 255)): assert torch.equal(one, other)


@pytest.mark.parametrize("wrong, complaint", [
    (torch.rand(28, 28), r"prototypes should have shape \(n, h, w\), got \(28, 28\)"),
    (torch.rand(0, 28, 28), r"prototypes should be at least one image, got shape \(0, 28, 28\)"),
    (torch.full((2, 3, 3), 7.), "float prototypes should lie between 0 and 1, got 7 to 7")])
def test_what_are_no_prototypes_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint): linear_form(wrong)
