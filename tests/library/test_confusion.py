"Recall, precision and the scores of pairs against scikit-learn."
import numpy as np
import pytest
import torch
from sklearn.metrics import precision_recall_fscore_support
from sklearn.neighbors import NearestCentroid

from pixelsim.accuracy import confusion_matrix
from pixelsim.classifier import PixelSimilarity
from pixelsim.confusion import pair_scores, precision, recall
from pixelsim.digits import load_mnist


def test_recall_and_precision_are_scikit_learns():
    "For 300 sets of answers; nan where a class is never said, or never was."
    random = np.random.default_rng(5)
    for _ in range(300):
        k, n = int(random.integers(1, 8)), int(random.integers(1, 30))
        was, said = random.integers(0, k, (2, n))
        counts = confusion_matrix(said, was, range(k))
        expected = precision_recall_fscore_support(was, said, labels=range(k), zero_division=np.nan)
        np.testing.assert_allclose(precision(counts), expected[0], atol=1e-12)
        np.testing.assert_allclose(recall(counts), expected[1], atol=1e-12)
        assert precision(counts).dtype == recall(counts).dtype == torch.float64


@pytest.mark.parametrize("wrong, complaint", [
    (torch.zeros(2, 3), r"confusion should have shape \(k, k\), a row and a column for each class, got \(2, 3\)"),
    ([1, 2], r"got \(2,\)"), ([[1, 1], [-2, 1]], "got -2"), ([[1, float("nan")], [1, 1]], r"nan at confusion\[0, 1\]"),
    ([[0.5, 1], [1, 1]], "confusion should hold counts, whole numbers from 0, got 0.5")])
def test_what_is_no_matrix_of_counts_is_refused(wrong, complaint):
    for function in (recall, precision):
        with pytest.raises(ValueError, match=complaint): function(wrong)


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")  # pixels that are paper in every image
def test_pairs_out_of_one_table_are_pairs_fitted_alone():
    "All 45, by scikit-learn's nearest centroid, which is fitted on two digits each time."
    ten = load_mnist()
    train, valid = [(part.images.numpy().reshape(-1, 784).astype(np.float32) / 255, part.labels) for part in ten]
    found = pair_scores(PixelSimilarity("l2").fit(ten[0]).distances(ten[1].images), ten[1].labels, range(10))
    assert found.diag().isnan().all() and torch.equal(found.nan_to_num(), found.T.nan_to_num())
    for i in range(10):
        for j in range(i):
            mine, own = [np.isin(labels, (i, j)) for _, labels in (train, valid)]
            expected = NearestCentroid().fit(train[0][mine], train[1][mine]).score(valid[0][own], valid[1][own])
            assert abs(found[i, j].item() - expected) < 1e-3 / 2, (i, j)  # an image may lie on the line, where rounding decides


def test_the_first_wins_a_tie_and_a_pair_without_images_is_nan():
    found = pair_scores([[1, 1, 3], [1, 1, 0]], ["a", "b"], ["a", "b", "c"])
    assert found[0, 1] == 0.5 and found[0, 2] == 1 and found[1, 2] == 0
    assert pair_scores([[1.0, 2, 3]], ["a"], ["a", "b", "c"])[1, 2].isnan()


@pytest.mark.parametrize("arguments, complaint", [
    (([[1, 2]], [0], [0, 1, 2]), r"distances should have shape \(1, 3\), one row for each label and one column for each class, got \(1, 2\)"),
    (([[1, float("inf")]], [0], [0, 1]), r"inf at distances\[0, 1\]")])
def test_a_table_that_does_not_fit_is_refused(arguments, complaint):
    with pytest.raises(ValueError, match=complaint): pair_scores(*arguments)
