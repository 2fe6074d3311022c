"""What *Deep Learning for Coders*, chapter 4, prints about threes and sevens, found by the classifier, and what follows from the same digits.

Source: notebook `04_mnist_basics.ipynb` of fastai/fastbook. What it prints is written down once, in the notebook "The book
and today" (`printed`), which compares it, figure by figure, with what the functions of the lessons give; all ten digits: `classifier.ipynb`.
The other numbers were worked out from the same files without pixelsim.
"""
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestCentroid

from pixelsim.accuracy import accuracy, class_accuracies, confusion_matrix
from pixelsim.classifier import PixelSimilarity
from pixelsim.distances import l1_distance, l2_distance
from pixelsim.show import show_image


def test_the_classifier_has_the_accuracies_of_the_book(model, digits):
    "And more digits of them; and one prediction. Of 2038 images 99 are wrong: 0.9514, where the book has the mean of the classes."
    _, valid = digits
    notebook = (Path(__file__).parents[2] / "nbs" / "book_and_today.ipynb").read_text(encoding="utf-8")
    printed = dict(re.findall(r'\\"([^"\\]+)\\": \\"([^"\\]+)\\",\\n', notebook))
    predicted = model.predict(valid)
    right = [*class_accuracies(predicted, valid.labels).values()]
    for what, found, digits in zip(("accuracy on threes", "accuracy on sevens", "mean of the two"), [*right, np.mean(right)],
                                   ("0.9168317", "0.9854086", "0.9511201")):
        assert f"{found:.7f}" == digits and f"{found:.4f}" == printed[what]
    assert confusion_matrix(predicted, valid.labels, [3, 7]).tolist() == [[1010 - 84, 84], [15, 1028 - 15]]
    assert accuracy(predicted, valid.labels) == pytest.approx(1 - 99 / 2038)


def test_distances_of_one_three(model, digits):
    "To more digits than the book prints."
    a_3 = digits[0][3][1]
    found = [f"{distance(a_3, mean).item():.6f}" for mean in model.prototypes_ for distance in (l1_distance, l2_distance)]
    assert found == ["0.111437", "0.202083", "0.158619", "0.302109"] and model.predict(a_3[None]).tolist() == [3]


def test_zero_is_background(digits):
    "In the files 0 is background, which would be black; only the reversed-gray color map draws it white."
    drawn = show_image(digits[0][3][1]).images[0]
    assert digits[0].images[:, [0, 0, -1, -1], [0, -1, 0, -1]].max() == 0
    assert drawn.cmap(drawn.norm(0)) == (1, 1, 1, 1) and drawn.cmap(drawn.norm(255)) == (0, 0, 0, 1)


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_:UserWarning")  # a pixel that is blank in every image
@pytest.mark.parametrize("ours, theirs, published", [(("l2", "mean"), "euclidean", "0.9661"), (("l1", "median"), "manhattan", "0.9558")])
def test_scikit_learns_nearest_centroid(digits, ours, theirs, published):
    "Image by image: its Euclidean rule is ours under L2; its Manhattan rule takes medians."
    (rows, labels), (new, actual) = ((s.images.numpy().reshape(-1, 784) / 255, s.labels) for s in digits)
    predicted = NearestCentroid(metric=theirs).fit(rows, labels).predict(new)
    assert (PixelSimilarity(*ours).fit(digits[0]).predict(digits[1]) == predicted).all()
    assert f"{np.mean([*class_accuracies(predicted, actual).values()] if ours[0] == 'l2' else accuracy(predicted, actual)):.4f}" == published
