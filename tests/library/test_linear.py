"Lesson 8 against scikit-learn and SciPy: the linear form says what the nearest prototype under L2 is, and by how much."
import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestCentroid

from pixelsim.digits import load_mnist
from pixelsim.linear import linear_form
from pixelsim.means import class_means


def test_by_hand():
    "The means (3, 1) and (1, 2) over 4: weights 2m, biases minus the squares, for images of one row."
    weights, biases = linear_form(torch.tensor([[[0.75, 0.25]], [[0.25, 0.5]]]))
    assert weights.tolist() == [[1.5, 0.5], [0.5, 1.0]] and biases.tolist() == [-0.625, -0.3125]


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


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")  # of pixels that are paper in every image
@pytest.mark.parametrize("classes", [[3, 7], [*range(10)]])
def test_the_largest_score_is_scikit_learns_nearest_centroid(classes):
    "On the validation images of MNIST; an image in 10,000 may lie so near a border that rounding decides."
    train, valid = load_mnist(classes)
    old, new = (part.images.numpy().reshape(len(part), -1) / 255 for part in (train, valid))
    expected = NearestCentroid().fit(old, train.labels).predict(new)
    weights, biases = linear_form(class_means(train.images, train.labels, classes))
    found = np.array(classes)[(torch.from_numpy(new).float() @ weights.T + biases).argmax(1).numpy()]
    assert (found != expected).sum() <= 1


def test_as_a_layer_of_a_network():
    "The rows fit into PyTorch's own linear layer."
    prototypes = torch.rand(4, 3, 3, generator=torch.Generator().manual_seed(0))
    layer = torch.nn.Linear(9, 4)
    with torch.no_grad():
        for parameter, value in zip((layer.weight, layer.bias), linear_form(prototypes)): parameter.copy_(value)
    assert layer(prototypes.flatten(1)).argmax(1).tolist() == [0, 1, 2, 3]


def test_bytes_are_brought_to_the_scale_of_floats():
    gray = torch.tensor([[[0, 255]], [[51, 0]]], dtype=torch.uint8)
    for one, other in zip(linear_form(gray), linear_form(gray.float() / 255)): assert torch.equal(one, other)


@pytest.mark.parametrize("wrong, complaint", [
    (torch.rand(28, 28), r"prototypes should have shape \(n, h, w\), got \(28, 28\)"),
    (torch.rand(0, 28, 28), r"prototypes should be at least one image, got shape \(0, 28, 28\)"),
    (torch.full((2, 3, 3), 7.), "float prototypes should lie between 0 and 1, got 7 to 7")])
def test_what_are_no_prototypes_is_refused(wrong, complaint):
    with pytest.raises(ValueError, match=complaint): linear_form(wrong)
