"In scikit-learn's company: its own checks, clones, cross-validation, searches, pipelines."
from unittest import SkipTest

import numpy as np
import pytest
from conftest import state
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

from pixelsim.classifier import PixelSimilarity

pytestmark = pytest.mark.filterwarnings("ignore:self.within_class_std_dev_ has at least 1 zero", "ignore:ValueError occurred during set_params")


class Rows(PixelSimilarity):
    """The classifier for rows of numbers, as scikit-learn's checks have them: each becomes an image of one line, with -16 as no ink
    and 16 as full ink. This is all that is added: what the checks find is found in PixelSimilarity itself."""
    def fit(self, X, y=None): return super().fit(self._images(X), y)

    def partial_fit(self, X, y=None, **options): return super().partial_fit(self._images(X), y, **options)

    def predict(self, X, *options): return super().predict(self._images(X), *options)

    def score(self, X, y=None): return super().score(X, y)

    def _images(self, X):
        if hasattr(X, "toarray") or np.asarray(X).dtype.kind not in "iuf": return X
        X = np.asarray(X, np.float64)
        gray = np.where(np.isfinite(X), np.clip(X / 32 + 0.5, 0, 1), X)
        if self.prototype == "median" and np.isfinite(gray).all(): gray = np.round(255 * gray).astype(np.uint8)
        return gray[:, None] if X.ndim == 2 else gray

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array = True, False
        return tags


OWN_WORDS = "refused, in our own words, which scikit-learn does not know: "
NOT_PASSED = {
    "check_estimators_unfitted": OWN_WORDS + "a ValueError, so that scikit-learn need not be installed",
    "check_complex_data": OWN_WORDS + "a TypeError that says to take the real part",
    "check_dtype_object": OWN_WORDS + "arrays of objects are no images",
    "check_estimators_empty_data_messages": OWN_WORDS + "images without pixels",
    "check_estimators_nan_inf": OWN_WORDS + "how many, and which is the first",
    "check_fit2d_1sample": OWN_WORDS + "one image has one class, and two are needed",
    "check_fit2d_predict1d": OWN_WORDS + "the shape, and a way to mend it",
    "check_requires_y_none": OWN_WORDS + "without labels, fit takes batches",
    "check_classifiers_regression_target": OWN_WORDS + "labels that are floats",
    "check_classifiers_one_label": "its label is 1.0, and labels that are floats are refused",
    "check_supervised_y_2d": "a column of labels is refused; scikit-learn takes it with a warning",
    "check_do_not_raise_errors_in_init_or_set_params": "a distance that does not exist is told where it is written, not at fit",
    "check_n_features_in": "images have a height and a width, not a number of features: prototypes_ has the shape",
    "check_n_features_in_after_fitting": "images have a height and a width, not a number of features: prototypes_ has the shape"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("parameters", [("l1", "mean"), ("l2", "mean"), ("l1", "median"), ("l2", "median")], ids="-".join)
def test_scikit_learns_own_checks(parameters):
    "Of the checks for every classifier, those listed above fail, and no others: what is mended has to leave the list."
    outcome = {}
    for model, check in estimator_checks.estimator_checks_generator(Rows(*parameters)):
        name = check.func.__name__
        try: check(model)
        except SkipTest: continue
        except Exception as e: outcome[name] = f"{type(e).__name__}: {str(e)[:200]}"
        else: outcome.setdefault(name, "")
    lines = [f"fails: {name}: {said}" for name, said in outcome.items() if said and name not in NOT_PASSED]
    lines += [f"passes, and is listed: {name}" for name in NOT_PASSED if outcome.get(name) == ""]
    assert not lines, "\n".join(lines)
    assert len([name for name, said in outcome.items() if not said]) > 30


def test_checks_that_need_no_rows():
    "The same for the classifier itself, which says that it takes images and so is asked for little."
    model = PixelSimilarity("l2", prototype="median")
    for check in ("valid_tag_types", "estimator_cloneable", "estimator_tags_renamed", "estimator_repr", "mixin_order", "no_attributes_set_in_init",
                  "parameters_default_constructible", "get_params_invariance", "set_params"):
        getattr(estimator_checks, f"check_{check}")("PixelSimilarity", model)
    assert (tags := model.__sklearn_tags__()).estimator_type == "classifier"
    assert tags.input_tags.three_d_array and not tags.input_tags.two_d_array


@pytest.fixture(scope="module")
def some(digits):
    "Every twentieth digit to learn from, as NumPy's arrays."
    return digits[0].images[::20].numpy(), digits[0].labels[::20]


@pytest.mark.parametrize("ours, theirs", [(("l2", "mean"), "euclidean"), (("l1", "median"), "manhattan")])
def test_cross_validation(ours, theirs, some):
    "Answer for answer that of scikit-learn's NearestCentroid, which takes the mean under L2 and the median under L1."
    images, labels = some[0], np.where(some[1] == 3, "three", "seven")
    folds = StratifiedKFold(4, shuffle=True, random_state=0)
    model, other, rows = PixelSimilarity(*ours), NearestCentroid(metric=theirs), images.reshape(len(images), -1) / 255
    found, wanted = cross_val_predict(model, images, labels, cv=folds), cross_val_predict(other, rows, labels, cv=folds)
    assert found.tolist() == wanted.tolist() and set(found) == {"three", "seven"}
    assert not hasattr(model, "classes_")  # clones were fitted


def scaled(images): return np.asarray(images, np.float32) / 255


def test_in_a_pipeline(some, digits):
    "After a step that scales; its parameters are reached through the pipeline, and what changes them makes a new model."
    images, labels = digits[1].images.numpy(), digits[1].labels
    pipe, alone = make_pipeline(FunctionTransformer(scaled), PixelSimilarity()).fit(*some), PixelSimilarity().fit(*some)
    assert state(pipe[-1]) == state(alone) and pipe.classes_.tolist() == [3, 7]
    assert pipe.predict(images).tolist() == alone.predict(images).tolist() and pipe.score(images, labels) == alone.score(images, labels)
    grid = {"pixelsimilarity__distance": ["l1", "l2"], "pixelsimilarity__prototype": ["mean", "median"]}
    found = GridSearchCV(pipe, grid, cv=3).fit(*some).cv_results_
    wanted = [cross_val_score(PixelSimilarity(*values.values()), *some, cv=3).mean() for values in found["params"]]
    assert found["mean_test_score"].tolist() == pytest.approx(wanted) and len({*wanted}) == 4
