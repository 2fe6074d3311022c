"Lesson 6 against scikit-learn and SciPy."
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest
from sklearn import metrics
from strategies import LABELS

from pixelsim.accuracy import accuracy, class_accuracies, confusion_matrix, worst_mistakes
from pixelsim.intervals import accuracy_interval


@st.composite
def answers(draw):
    "Predicted and actual labels, and all classes in any order."
    classes = draw(st.one_of(*[st.lists(kind, min_size=1, max_size=5, unique=True) for kind in LABELS]))
    return *zip(*draw(st.lists(st.tuples(*[st.sampled_from(classes)] * 2), min_size=1, max_size=20))), classes


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")
@given(sample=answers(), kind=st.sampled_from([list, np.array]))
def test_accuracies(sample, kind):
    "scikit-learn's accuracy, recall of each class, balanced accuracy, and confusion matrix."
    predicted, actual, classes = sample
    ours = class_accuracies(kind(predicted), kind(actual))
    assert accuracy(kind(predicted), kind(actual)) == pytest.approx(metrics.accuracy_score(actual, predicted))
    assert list(ours) == sorted(set(actual))
    assert [*ours.values()] == pytest.approx(metrics.recall_score(actual, predicted, labels=[*ours], average=None))
    assert np.mean([*ours.values()]) == pytest.approx(metrics.balanced_accuracy_score(actual, predicted))
    matrix = confusion_matrix(kind(predicted), kind(actual), classes)
    assert matrix.dtype == torch.int64 and np.array_equal(matrix.numpy(), metrics.confusion_matrix(actual, predicted, labels=classes))


def short(n): return torch.tensor(n, dtype=torch.int16)


@settings(max_examples=200)
@given(n=st.integers(1, 3000), data=st.data(), confidence=st.floats(0.01, 0.9999), kind=st.sampled_from([int, np.int16, short]))
def test_accuracy_interval(n, data, confidence, kind):
    "SciPy's Wilson interval, for any counts and any confidence; counts are sums, and so numbers whose products would not fit."
    k = data.draw(st.sampled_from([0, n]) | st.integers(0, n))
    wanted = binomtest(k, n).proportion_ci(confidence, method="wilson")
    found = accuracy_interval(kind(k), kind(n), confidence)
    assert found == pytest.approx((wanted.low, wanted.high), abs=1e-9)
    assert 0 <= found[0] <= k / n <= found[1] <= 1  # so it is exact at the ends


@given(data=st.data(), classes=st.lists(st.integers(0, 9), min_size=2, max_size=4, unique=True), n=st.integers(0, 10))
def test_worst_mistakes(data, classes, n):
    "A loop over the images: those that are wrong, by how far the right class was behind, equal ones in their order."
    eighths = data.draw(arrays(np.int64, (n, len(classes)), elements=st.integers(0, 8)))
    actual = data.draw(st.lists(st.sampled_from(classes), min_size=n, max_size=n))
    mistakes = []
    for i, (row, label) in enumerate(zip(eighths.tolist(), actual)):
        nearest = row.index(min(row))
        if classes[nearest] != label: mistakes.append((row[nearest] - row[classes.index(label)], i))
    for distances in (torch.from_numpy(eighths) / 8, eighths.astype(np.uint8), (eighths / 8).astype(">f4")):
        found = worst_mistakes(distances, actual, classes)
        assert found.dtype == torch.int64 and found.tolist() == [i for _, i in sorted(mistakes)]
