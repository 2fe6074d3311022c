"Each misuse gets the kind of error that is documented, with the value that caused it and the way out. The words are quoted here, or in the notebooks."
import re

import numpy as np
import pytest
import torch

from pixelsim.accuracy import accuracy, class_accuracies, confusion_matrix, mnist_distance, worst_mistakes
from pixelsim.intervals import accuracy_interval
from pixelsim.broadcasting import broadcast_shape, explain_broadcast
from pixelsim.classifier import PixelSimilarity
from pixelsim.means import class_means
from pixelsim.pixels import best_threshold, to_float
from pixelsim.show import show_difference, show_image, show_images, show_numbers
from pixelsim.tensors import explain_shape

pytestmark = pytest.mark.filterwarnings("ignore:1 of 1 labels were never seen:UserWarning")
HALF, IMAGE, NONE = torch.full((2, 2), .5), torch.zeros(2, 2, dtype=torch.uint8), torch.zeros(0, 2, 2)


def fitted(distance="l1", side=2, **options): return PixelSimilarity(distance, **options).fit(torch.zeros(2, side, side), [3, 7])


@pytest.mark.parametrize("call, error, said", [
    (lambda: to_float(torch.tensor([0, np.nextafter(np.float32(1), np.float32(2))])), ValueError, "got 0 to 1.00000012"),
    (lambda: best_threshold([1, 2, 3], [True, False]), ValueError, "got (3,) and (2,)"),
    (lambda: best_threshold([1, torch.nan], [True, False]), ValueError, "nan at values[1]"),
    (lambda: best_threshold([0., 1.], [np.nan, 0.]), ValueError, "nan at is_above[0]"),
    (lambda: best_threshold(torch.tensor([0j, 1 + 1j]), [False, True]), TypeError, "values: got complex numbers"),
    (lambda: explain_shape([3, 7]), TypeError, "got list: try torch.tensor(x)"),
    (lambda: explain_shape(HALF.to_sparse()), TypeError, "got torch.sparse_coo: try x.to_dense()"),
    (lambda: class_means(IMAGE[None], ["a"], ["b"]), ValueError, "class 'b' has no images"),
    *[(lambda c=c: class_means(IMAGE[None], [3], c), ValueError, f"as [3, 7], got {c!r}") for c in ([], [[3, 7]], [[3], [7, 3]], 3, None, [3, "7"])],
    (lambda: class_means(IMAGE[None], [3], [3, 7, 3]), ValueError, "each class should be named once, got [3, 7, 3]"),
    *[(lambda f=f, n=n: f((2, n)), ValueError, f"got {n!r} in (2, {n!r})")
      for f in (broadcast_shape, explain_broadcast) for n in (-1, 2.0, True, "3")],
    *[(lambda f=f: f(5), ValueError, "got 5") for f in (broadcast_shape, explain_broadcast)],
    (lambda: mnist_distance(HALF, IMAGE.long()), TypeError, "got torch.int64: convert with to_float first"),
    *[(lambda f=f: f([], []), ValueError, "no images: the accuracy of nothing is undefined") for f in (accuracy, class_accuracies)],
    *[(lambda f=f: f([3, 7], [3]), ValueError, "got (2,) and (1,)") for f in (accuracy, class_accuracies)],
    *[(lambda f=f: f([[3]], [[3]]), ValueError, "got (1, 1) and (1, 1)") for f in (accuracy, class_accuracies)],
    *[(lambda f=f: f(["3"], [3]), ValueError, "got <U1 and int") for f in (accuracy, class_accuracies)],
    *[(lambda f=f: f([3, "7"], ["3", "7"]), ValueError, "all integers or all strings") for f in (accuracy, class_accuracies)],
    *[(lambda r=r, n=n: accuracy_interval(r, n), ValueError, f"total at least 1, got {r} of {n}") for r, n in ((-1, 5), (6, 5), (0, 0))],
    *[(lambda r=r, n=n: accuracy_interval(r, n), ValueError, f"whole numbers of images, got {r} of {n}")
      for r, n in ((1.0, 2038), (1969, 2038.5), (0.5, 1), (float("nan"), 9), (9, float("inf")))],
    *[(lambda c=c: accuracy_interval(1, 2, c), ValueError, f"for example 0.95, got {c}") for c in (0, 1, 95, -.5)],
    (lambda: confusion_matrix([8], [3], np.array([3, 7])), ValueError, "label 8 is not among the classes [3, 7]"),
    (lambda: worst_mistakes(HALF, [3, 7, 7], [3, 7]), ValueError, "shape (3, 2), one row for each label and one column for each class, got (2, 2)"),
    (lambda: worst_mistakes(HALF * torch.nan, [3, 7], [3, 7]), ValueError, "nan at distances[0, 0]"),
    (lambda: PixelSimilarity(prototype="median").fit([HALF], [3]), ValueError, "uint8, or floats that are whole numbers of 255ths"),
    (lambda: fitted().predict([IMAGE, HALF], resize=True), ValueError, "images[0] is torch.uint8 on cpu and images[1] torch.float32"),
    (lambda: PixelSimilarity().distances(HALF[None]), ValueError, "not fitted yet: call fit("),
    *[(lambda f=f: PixelSimilarity().fit(*f), ValueError, "no images to fit") for f in ([[]], [iter([])], [[(NONE, [])]], [NONE, []])],
    (lambda: PixelSimilarity(prototype="mode"), ValueError, "prototype should be one of ['mean', 'median'], got 'mode'"),
    (lambda: fitted().partial_fit(HALF[None], [7], classes=[3, 8]), ValueError, "label 7 is not among the classes [3, 8]"),
    (lambda: fitted().partial_fit(HALF[None], ["a"]), ValueError, "got ['a'] after [3, 7]"),
    (lambda: fitted().partial_fit(HALF[None], [3], classes=[3, 3]), ValueError, "each class should be named once"),
    (lambda: fitted().merge(PixelSimilarity()), ValueError, "got PixelSimilarity(distance='l1', prototype='mean', not fitted)"),
    (lambda: PixelSimilarity().merge(fitted()), ValueError, "got PixelSimilarity(distance='l1', prototype='mean', not fitted)"),
    (lambda: fitted().merge(fitted(side=3)), ValueError, "got 3×3"),
    (lambda: fitted().set_params(distance="l3"), ValueError, "got 'l3'"),
    (lambda: fitted().score(IMAGE[None], ["3"]), ValueError, "and <U1"),
    *[(lambda f=f: f(HALF[None]), ValueError, "got (1, 2, 2): pick one image") for f in (show_image, show_numbers)],
    *[(lambda f=f: f(HALF[0]), ValueError, "got (2,)") for f in (show_image, show_numbers, show_images)],
    (lambda: show_image(HALF[:0]), ValueError, "should have pixels, got shape (0, 2)"),
    (lambda: show_images([]), ValueError, "images is empty: there is nothing to show"),
    (lambda: show_images([HALF, HALF], titles=["one"]), ValueError, "got 1 titles for 2 images"),
    (lambda: show_images([HALF], columns=0), ValueError, "got 0"),
    (lambda: show_difference(HALF, HALF[:1]), ValueError, "got (2, 2) and (1, 2)"),
    (lambda: show_difference(HALF[0], HALF), ValueError, "a should have shape (h, w), got (2,)"),
    (lambda: show_difference(HALF, HALF[0]), ValueError, "b should have shape (h, w), got (2,)"),
    (lambda: show_difference(IMAGE, HALF), ValueError, "full ink is 255 in a and 1 in b: convert both with to_float")])
def test_errors(call, error, said):
    with pytest.raises(error, match=re.escape(said)): call()
