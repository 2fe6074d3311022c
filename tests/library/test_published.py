"""What *Deep Learning for Coders*, chapter 4, prints about threes and sevens, and what follows from the same digits.

Source: notebook `04_mnist_basics.ipynb` of fastai/fastbook. What it prints is written down once, in the notebook "The book
and today" (`PRINTED`), and is compared here digit by digit. The other numbers were worked out from the same files without
pixelsim.
"""
import ast
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.neighbors import NearestCentroid

from pixelsim.accuracy import accuracy, class_accuracies, confusion_matrix, mnist_distance
from pixelsim.broadcasting import broadcast_shape
from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist
from pixelsim.distances import l1_distance, l2_distance
from pixelsim.means import class_means
from pixelsim.pixels import to_float
from pixelsim.show import show_image
from pixelsim.tensors import explain_shape


def written_down(name):
    "The dictionary `name` of the notebook \"The book and today\", read without running it."
    notebook = json.loads((Path(__file__).parents[2] / "nbs" / "book_and_today.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code" or f"{name} = {{" not in (source := "".join(cell["source"])): continue
        for node in ast.parse(source).body:
            if isinstance(node, ast.Assign) and node.targets[0].id == name: return ast.literal_eval(node.value)
    raise AssertionError(f"book_and_today.ipynb has no {name}")


PRINTED = written_down("printed")


@pytest.fixture(scope="module")
def book(digits):
    "The book's variables, made with the library."
    train, valid = digits
    mean3, mean7 = class_means(train.images, train.labels, [3, 7])
    return SimpleNamespace(train=train, valid=valid, mean3=mean3, mean7=mean7, a_3=to_float(train[3])[1],
                           valid_3_tens=to_float(valid[3]), valid_7_tens=to_float(valid[7]))


@pytest.fixture(scope="module")
def predicted(book):
    "What the classifier makes of the validation set, under each distance."
    return {d: PixelSimilarity(d).fit(book.train.images, book.train.labels).predict(book.valid.images)
            for d in ("l1", "l2")}


def is_3(x, book): return mnist_distance(x, book.mean3) < mnist_distance(x, book.mean7)


# The rows of the table

def test_every_printed_figure_is_compared():
    "Each figure of the notebook's list is used by a test of this file, and the list has not lost any."
    source = Path(__file__).read_text(encoding="utf-8")
    assert len(PRINTED) == 24 and [what for what in PRINTED if source.count(what) == 0] == []


def test_number_of_training_images(book):
    "6131 threes and 6265 sevens."
    found = [str(len(book.train[3])), str(len(book.train[7]))]
    assert found == [PRINTED["threes in the training set"], PRINTED["sevens in the training set"]]


def test_number_of_validation_images(book):
    "1010 threes and 1028 sevens."
    found = [str(len(book.valid[3])), str(len(book.valid[7]))]
    assert found == [PRINTED["threes in the validation set"], PRINTED["sevens in the validation set"]]


def test_first_ten_files(book):
    "The files of `threes` are sorted by name as text."
    names = PRINTED["first ten files of `threes`"].split(", ")
    assert len(names) == 10
    assert book.train.names[book.train.labels == 3][:10].tolist() == [f"train/3/{n}.png" for n in names]


def test_corner_of_the_second_three(book):
    "Rows and columns 4 to 9 of `threes[1]`, number by number."
    rows = [[int(n) for n in row.split()] for row in PRINTED["`threes[1]`, rows and columns 4 to 9"].split(" / ")]
    assert book.train[3][1, 4:10, 4:10].tolist() == rows


def test_types(book):
    "The tensor of an image is torch.uint8, its array uint8."
    image = book.train[3][1]
    assert str(image.dtype) == PRINTED["type of the tensor"] and str(image.numpy().dtype) == PRINTED["type of the array"]
    for x in (image, image.numpy()): assert explain_shape(x).rows[2][:2] == ["dtype", PRINTED["type of the array"]]


def test_stacked_threes(book):
    "All threes are one tensor of shape [6131, 28, 28], so of rank 3."
    stacked = book.train[3]
    shape, rank = PRINTED["shape of the stacked threes"], PRINTED["its rank"]
    assert (str(list(stacked.shape)), str(stacked.ndim)) == (shape, rank)
    assert [row[1] for row in explain_shape(stacked).rows[:2]] == [rank, f"({shape[1:-1]})"]


def test_distances_to_the_mean_three(book):
    "0.1114 and 0.2021; in full 0.1114365 (the sheet cuts it off as 0.111436) and 0.202083."
    l1, l2 = l1_distance(book.a_3, book.mean3).item(), l2_distance(book.a_3, book.mean3).item()
    assert f"{l1:.4f}" == PRINTED["`a_3` to `mean3`: mean absolute difference"]
    assert f"{l2:.4f}" == PRINTED["`a_3` to `mean3`: root mean squared difference"]
    assert (l1, l2) == pytest.approx((0.1114365, 0.202083), abs=5e-7) and int(l1 * 1e6) == 111436


def test_distances_to_the_mean_seven(book):
    "0.1586 and 0.3021; unrounded 0.158619 and 0.302109."
    l1, l2 = l1_distance(book.a_3, book.mean7).item(), l2_distance(book.a_3, book.mean7).item()
    assert f"{l1:.4f}" == PRINTED["`a_3` to `mean7`: mean absolute difference"]
    assert f"{l2:.4f}" == PRINTED["`a_3` to `mean7`: root mean squared difference"]
    assert (f"{l1:.6f}", f"{l2:.6f}") == ("0.158619", "0.302109")


def test_pytorchs_losses(book):
    "`F.l1_loss` and the root of `F.mse_loss`, on the library's image and mean: 0.1586 and 0.3021."
    losses = F.l1_loss(book.a_3, book.mean7).item(), F.mse_loss(book.a_3, book.mean7).sqrt().item()
    assert [f"{x:.4f}" for x in losses] == [PRINTED["`F.l1_loss(a_3, mean7)`"], PRINTED["`F.mse_loss(a_3, mean7).sqrt()`"]]


def test_mnist_distance(book):
    "`mnist_distance(a_3, mean3)` is 0.1114."
    assert f"{mnist_distance(book.a_3, book.mean3).item():.4f}" == PRINTED["`mnist_distance(a_3, mean3)`"]


def test_shapes_of_broadcasting(book):
    "1010 images minus one are [1010, 28, 28], and that is 1010 distances, as `broadcast_shape` says beforehand."
    differences = PRINTED["shape of `valid_3_tens - mean3`"]
    assert str(list((book.valid_3_tens - book.mean3).shape)) == differences
    assert str(list(broadcast_shape(book.valid_3_tens, book.mean3))) == differences
    for distance in (mnist_distance, l1_distance, l2_distance):
        assert str(list(distance(book.valid_3_tens, book.mean3).shape)) == PRINTED["shape of the distances"]


def test_is_3(book, model):
    "`is_3(a_3)` is True, as a float 1.0, and the classifier says 3."
    assert str(is_3(book.a_3, book).item()) == PRINTED["`is_3(a_3)`"]
    assert str(is_3(book.a_3, book).float()) == f"tensor({PRINTED['`is_3(a_3).float()`']})"
    assert model.predict(book.a_3[None]).tolist() == [3]


def test_accuracies(book, predicted):
    "0.9168, 0.9854 and their mean 0.9511, with the book's rule and with the classifier; unrounded too."
    by_rule = [is_3(book.valid_3_tens, book).double().mean().item(),
               (~is_3(book.valid_7_tens, book)).double().mean().item()]
    by_class = class_accuracies(predicted["l1"], book.valid.labels)
    assert list(by_class) == [3, 7]
    for found in (by_rule, [*by_class.values()]):
        threes_sevens_mean = [*found, sum(found) / 2]
        assert [f"{x:.4f}" for x in threes_sevens_mean] == [
            PRINTED["accuracy on threes"], PRINTED["accuracy on sevens"], PRINTED["mean of the two"]]
        assert [f"{x:.7f}" for x in threes_sevens_mean] == ["0.9168317", "0.9854086", "0.9511201"]


# Where today differs from the book

@pytest.mark.parametrize("order, first, last", [
    ("number", ["0.1789", "0.1170", "0.1271"], ["0.1508", "0.1263", "0.1260"]),
    ("text", ["0.1280", "0.1623", "0.1242"], None)])
def test_order_of_the_validation_distances(book, order, first, last):
    """What `valid_3_dist` begins and ends with depends on the order of the files, which the book leaves open.

    By number, the order of MNIST's own file, they are those that the sheet of published figures calls sorted. By name
    as text, the order of the library, others come first."""
    distances = mnist_distance(book.valid_3_tens, book.mean3)
    names = [n.split("/")[-1].removesuffix(".png") for n in book.valid.names[book.valid.labels == 3]]
    assert names == sorted(names) and names != sorted(names, key=int)
    if order == "number": distances = distances[np.argsort([int(n) for n in names])]
    printed = [f"{d:.4f}" for d in distances.tolist()]
    assert printed[:3] == first
    if last: assert printed[-3:] == last


def test_accuracy_over_all_images(book, predicted):
    "0.9514: of 2038 images 99 are wrong, 84 threes and 15 sevens. The book's 0.9511 is the mean of the classes."
    found = accuracy(predicted["l1"], book.valid.labels)
    assert f"{found:.4f}" == "0.9514" and round((1 - found) * 2038) == 99
    assert confusion_matrix(predicted["l1"], book.valid.labels, [3, 7]).tolist() == [[1010 - 84, 84], [15, 1028 - 15]]


def test_norms_are_sums(book):
    "What the book calls L1 and L2 norm are means: the true norms are 784 and √784 times as large."
    norm = torch.linalg.vector_norm
    assert norm(book.a_3 - book.mean3, ord=1).item() / 784 == pytest.approx(0.1114365, abs=5e-7)
    assert norm(book.a_3 - book.mean3, ord=2).item() / 28 == pytest.approx(0.202083, abs=5e-7)


def test_zero_is_background(book):
    "In the files 0 is background, which would be black; only the reversed-grey colour map draws it white."
    corners = book.train.images[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.max() == 0
    drawn = show_image(book.train[3][1]).images[0]
    assert drawn.cmap(drawn.norm(0)) == (1, 1, 1, 1) and drawn.cmap(drawn.norm(255)) == (0, 0, 0, 1)


# What follows from the data

def test_l2_scores_higher(book, predicted):
    "Under L2 the mean of the classes is 0.9661."
    assert f"{np.mean([*class_accuracies(predicted['l2'], book.valid.labels).values()]):.4f}" == "0.9661"


@pytest.mark.parametrize("distance, published", [("l1", "0.6685"), ("l2", "0.8203")])
def test_all_ten_digits(distance, published):
    "0.6685 under L1 and 0.8203 under L2, over 10,000 images."
    train, valid = load_mnist()
    assert len(valid) == 10_000
    model = PixelSimilarity(distance).fit(train.images, train.labels)
    assert f"{model.score(valid.images, valid.labels):.4f}" == published


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_:UserWarning")  # a pixel that is blank in every image
def test_scikit_learns_nearest_centroid(book, predicted):
    "Its Euclidean rule is ours under L2, image by image; its Manhattan rule takes medians and gets 0.9558."
    images, valid = ((s.images.numpy() / 255).reshape(-1, 784) for s in (book.train, book.valid))
    euclidean = NearestCentroid(metric="euclidean").fit(images, book.train.labels).predict(valid)
    assert np.array_equal(euclidean, predicted["l2"])
    manhattan = NearestCentroid(metric="manhattan").fit(images, book.train.labels).predict(valid)
    assert f"{accuracy(manhattan, book.valid.labels):.4f}" == "0.9558"
