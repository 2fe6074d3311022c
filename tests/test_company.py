"""In the company of others: scikit-learn, PyTorch, fastai, several processes, Pillow. What they do by themselves is expected.
"""
import copy
import json
import os
import pickle
import re
import subprocess
import sys
import warnings
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from PIL import Image
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks
from torch.utils.data import DataLoader, TensorDataset

import pixelsim
from pixelsim.classifier import PixelSimilarity
from pixelsim.digits import load_mnist
from pixelsim.fastai_folder import mnist_sample_folder

pytestmark = [pytest.mark.filterwarnings(f"ignore:{text}") for text in (
    "Estimator Rows does not inherit", "ValueError occurred during set_params", "self.within_class_std_dev_ has at least 1 zero")]

TRAIN, VALID = load_mnist([3, 7])
SOME, SOME_LABELS = TRAIN.images[::20], TRAIN.labels[::20]
WHOLE = {distance: PixelSimilarity(distance).fit(TRAIN) for distance in ("l1", "l2")}


def same_model(a, b):
    "Have two classifiers learned the same, to the last bit?"
    return (a.classes_.tolist() == b.classes_.tolist() and torch.equal(a.totals_, b.totals_) and torch.equal(a.counts_, b.counts_)
            and torch.equal(a.prototypes_, b.prototypes_))


# scikit-learn. Its checks know rows of numbers only

class Rows(PixelSimilarity):
    """The classifier for rows of numbers: each becomes an image of one line, with -16 as no ink and 16 as full ink.

    This is all that is added: what scikit-learn's checks find is found in PixelSimilarity itself."""
    def fit(self, X, y=None): return super().fit(self._images(X), y)

    def partial_fit(self, X, y=None, classes=None): return super().partial_fit(self._images(X), y)

    def predict(self, X, *options): return super().predict(self._images(X), *options)

    def score(self, X, y=None): return super().score(self._images(X), y)

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
ON_ROWS = [("l1", "mean"), ("l2", "mean"), ("l1", "median"), ("l2", "median")]


@pytest.mark.parametrize("parameters", ON_ROWS, ids="-".join)
def test_scikit_learns_own_checks(parameters):
    "Of the checks for every classifier, those listed above fail, and no others: what is mended has to leave the list."
    outcome = {}
    for model, check in estimator_checks.estimator_checks_generator(Rows(*parameters)):
        name = check.func.__name__
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                check(model)
        except Exception as e:
            if type(e).__name__ != "SkipTest": outcome[name] = f"{type(e).__name__}: {str(e)[:200]}"
        else: outcome.setdefault(name, "")
    lines = [f"fails: {name}: {said}" for name, said in outcome.items() if said and name not in NOT_PASSED]
    lines += [f"passes, and is listed: {name}" for name in NOT_PASSED if outcome.get(name) == ""]
    assert not lines, "\n".join(lines)
    assert len([name for name, said in outcome.items() if not said]) > 30


@pytest.mark.parametrize("check", [
    "valid_tag_types", "estimator_cloneable", "estimator_tags_renamed", "estimator_repr", "mixin_order",
    "no_attributes_set_in_init", "parameters_default_constructible", "get_params_invariance", "set_params"])
def test_checks_that_need_no_rows(check):
    "The same for the classifier itself, which says that it takes images and so is asked for little."
    getattr(estimator_checks, f"check_{check}")("PixelSimilarity", PixelSimilarity("l2", prototype="median"))


@pytest.mark.parametrize("dtype", [None, object, "string", "category"], ids=str)
def test_labels_from_a_table(dtype):
    "A column of words or of numbers in a pandas table is what scikit-learn's users have; a missing one is told."
    pandas = pytest.importorskip("pandas")
    def column(values, dtype): return pandas.Series(values, index=values, dtype=dtype)
    wanted = PixelSimilarity().fit(SOME, SOME_LABELS)
    numbers = PixelSimilarity().fit(SOME, column(SOME_LABELS, "category" if dtype == "category" else "Int64"))
    words = PixelSimilarity().fit(SOME, column(SOME_LABELS.astype(str), dtype))
    assert same_model(numbers, wanted) and torch.equal(words.totals_, wanted.totals_) and words.classes_.tolist() == ["3", "7"]
    assert words.classes_.dtype.kind == "U" and words.predict(SOME[:1]).tolist() == ["3"]
    with pytest.raises(ValueError, match=r"1 labels are missing, the first is labels\[1\]"):
        words.score(SOME[:2], pandas.Series(["a", None], dtype=dtype))


def flat(images): return images.reshape(len(images), -1)


@pytest.mark.parametrize("ours, theirs", [(("l2", "mean"), "euclidean"), (("l1", "median"), "manhattan")])
def test_cross_validation(ours, theirs):
    "Score for score that of scikit-learn's NearestCentroid, which takes the mean under L2 and the median under L1."
    images, labels = SOME.numpy(), np.where(SOME_LABELS == 3, "three", "seven")
    folds = StratifiedKFold(4, shuffle=True, random_state=0)
    model, other = PixelSimilarity(*ours), NearestCentroid(metric=theirs)
    rows = flat(images) / 255
    found, wanted = cross_val_score(model, images, labels, cv=folds), cross_val_score(other, rows, labels, cv=folds)
    assert found.tolist() == pytest.approx(wanted.tolist(), abs=1e-9) and len(set(found)) > 1
    found, wanted = cross_val_predict(model, images, labels, cv=folds), cross_val_predict(other, rows, labels, cv=folds)
    assert found.tolist() == wanted.tolist() and set(found) == {"three", "seven"}
    assert not hasattr(model, "classes_")  # clones were fitted


def test_a_search_over_all_parameters():
    "Each of the four combinations gets the scores that a loop over the folds finds, and the best is fitted on everything."
    search = GridSearchCV(PixelSimilarity(), {"distance": ["l1", "l2"], "prototype": ["mean", "median"]}, cv=StratifiedKFold(3))
    search.fit(SOME.numpy(), SOME_LABELS)
    means = {}
    for parameters, mean in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
        scores = [PixelSimilarity(**parameters).fit(SOME[learn], SOME_LABELS[learn]).score(SOME[test], SOME_LABELS[test])
                  for learn, test in StratifiedKFold(3).split(flat(SOME), SOME_LABELS)]
        assert mean == pytest.approx(np.mean(scores))
        means[tuple(parameters.values())] = mean
    assert len(set(means.values())) == 4 and means[tuple(search.best_params_.values())] == max(means.values())
    assert same_model(search.best_estimator_, PixelSimilarity(**search.best_params_).fit(SOME, SOME_LABELS))
    assert search.predict(VALID.images.numpy()).tolist() == search.best_estimator_.predict(VALID.images).tolist()


def scaled(images): return np.asarray(images, np.float32) / 255


def test_in_a_pipeline():
    "After a step that scales; its parameters are reached through the pipeline, and what changes them makes a new model."
    pipe = make_pipeline(FunctionTransformer(scaled), PixelSimilarity()).fit(SOME.numpy(), SOME_LABELS)
    alone = PixelSimilarity().fit(SOME, SOME_LABELS)
    assert same_model(pipe[-1], alone) and pipe.classes_.tolist() == [3, 7]
    assert pipe.predict(VALID.images.numpy()).tolist() == alone.predict(VALID.images).tolist()
    assert pipe.score(VALID.images.numpy(), VALID.labels) == alone.score(VALID.images, VALID.labels)
    search = GridSearchCV(pipe, {"pixelsimilarity__distance": ["l1", "l2"]}, cv=3).fit(SOME.numpy(), SOME_LABELS)
    assert search.best_params_ == {"pixelsimilarity__distance": "l2"}


def test_clones_and_copies():
    "A clone has the parameters and has learned nothing; a copy, a pickle and a deep copy have learned the same."
    model = PixelSimilarity("l2", "median", compiled=True).fit(SOME, SOME_LABELS)
    new = clone(model)
    assert new.get_params() == model.get_params() and set(vars(new)) == {"distance", "prototype", "compiled"}
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert same_model(other, model) and other.get_params() == model.get_params()
    assert not same_model(copy.deepcopy(model).partial_fit(SOME, SOME_LABELS), model)
    assert model.counts_.tolist() == PixelSimilarity().fit(SOME, SOME_LABELS).counts_.tolist()


def test_other_scores():
    "A score of scikit-learn's that needs more than predictions: the smaller distance is the better."
    def by_distance(model, images, labels): return roc_auc_score(labels == 7, model.distances(images).numpy() @ [1, -1])
    images, labels = VALID.images[::5], VALID.labels[::5]
    areas = cross_val_score(PixelSimilarity(), images, labels, scoring=by_distance, cv=3)
    assert (areas > cross_val_score(PixelSimilarity(), images, labels, cv=3)).all()
    balanced = cross_val_score(PixelSimilarity(), images, labels, scoring="balanced_accuracy", cv=3)
    for score, (learn, test) in zip(balanced, StratifiedKFold(3).split(flat(images), labels), strict=True):
        model = PixelSimilarity().fit(images[learn], labels[learn])
        parts = [test[labels[test] == c] for c in (3, 7)]
        assert score == pytest.approx(np.mean([model.score(images[part], labels[part]) for part in parts]))


# PyTorch's modules

@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_the_module_says_what_the_classifier_says(distance):
    "Logits are minus the distances, times the scale; with and without an axis for channels; in eval and without gradients."
    model = WHOLE[distance]
    net = model.module(scale=10).eval()
    with torch.no_grad(): logits = net(VALID.images)
    assert torch.equal(logits, -10 * model.distances(VALID.images)) and not net.training
    for images in (VALID.images[:, None], VALID.images[:, None].expand(-1, 3, -1, -1), VALID.images.float() / 255):
        assert torch.equal(net(images), logits)
    assert model.classes_[logits.argmax(1).numpy()].tolist() == model.predict(VALID.images).tolist()
    assert not net(VALID.images[:2]).requires_grad and model.module(learn=True)(VALID.images[:2]).requires_grad


def test_the_state_of_a_module(tmp_path):
    "Only the prototypes are saved; they are loaded, and are not those of the classifier; another number of classes is refused."
    net = WHOLE["l2"].module(learn=True)
    assert [*net.state_dict()] == ["prototypes"] and [*dict(net.named_parameters())] == ["prototypes"]
    torch.save(net.state_dict(), tmp_path / "net.pt")
    other = PixelSimilarity("l2").fit(SOME.flip(2), SOME_LABELS).module()
    assert not torch.equal(other(VALID.images), net(VALID.images))
    assert str(other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))) == "<All keys matched successfully>"
    for same in (other, copy.deepcopy(net)): assert torch.equal(same(VALID.images), net(VALID.images))
    with pytest.raises(RuntimeError, match="size mismatch"):
        PixelSimilarity().fit(SOME, np.arange(len(SOME)) % 3).module().load_state_dict(net.state_dict())
    before = WHOLE["l2"].prototypes_.clone()
    with torch.no_grad(): net.prototypes.zero_()
    assert torch.equal(WHOLE["l2"].prototypes_, before)


def test_the_module_moves():
    "To another type it goes with its prototypes; float64 tells what float32 tells. To a device: see `test_arrays.py`."
    net = WHOLE["l1"].module()
    wide = copy.deepcopy(net).to(torch.float64)
    assert wide.prototypes.dtype == torch.float64 and wide(VALID.images).dtype == torch.float64
    assert torch.allclose(wide(VALID.images), net(VALID.images).double(), atol=1e-6)
    assert net.to("meta").prototypes.is_meta


def test_the_module_learns_in_a_network():
    "Between other layers, with weights of its own that an optimizer finds, the loss goes down; fixed prototypes stay."
    torch.manual_seed(0)
    images, target = SOME[::3].float() / 255, torch.from_numpy((SOME_LABELS[::3] == 7).astype(np.int64))
    for learn in (True, False):
        layers = torch.nn.Unflatten(1, (28, 28)), WHOLE["l2"].module(learn=learn, scale=10), torch.nn.Linear(2, 2)
        net = torch.nn.Sequential(*layers)
        before, losses = net[1].prototypes.clone(), []
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(30):
            optimizer.zero_grad()
            losses.append(torch.nn.functional.cross_entropy(net(images.flatten(1)), target))
            losses[-1].backward()
            optimizer.step()
        assert losses[-1] < losses[0] and torch.equal(net[1].prototypes, before) != learn


# Batches

def loader(**options):
    digits, generator = TensorDataset(TRAIN.images, torch.from_numpy(TRAIN.labels)), torch.Generator().manual_seed(0)
    return DataLoader(digits, batch_size=500, generator=generator, **options)


def test_a_loader_that_drops_images_warns():
    "The last 396 of 12,396 are lost with drop_last; without it, shuffled or not, it is the fit of everything, and silent."
    with pytest.warns(UserWarning, match=r"DataLoader has drop_last=True.*drop_last=False"):
        model = PixelSimilarity().fit(loader(drop_last=True))
    assert model.counts_.sum() == 12_000 and not same_model(model, WHOLE["l1"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for shuffle in (False, True): assert same_model(PixelSimilarity().fit(loader(shuffle=shuffle)), WHOLE["l1"])


def test_batches_from_anywhere():
    "A list, a generator, an iterator, lists or arrays in them, an axis for gray or for three equal colors: all are one."
    wanted = PixelSimilarity().fit(SOME, SOME_LABELS)
    pairs = [(SOME[i:i + 100], SOME_LABELS[i:i + 100]) for i in range(0, len(SOME), 100)]
    for batches in (pairs, iter(pairs), (pair for pair in pairs), tuple(pairs), [[x.numpy(), y.tolist()] for x, y in pairs],
                    [(x[:, None], torch.from_numpy(y)) for x, y in pairs],
                    [(x[:, None].expand(-1, 3, -1, -1).float() / 255, y) for x, y in pairs]):
        assert same_model(PixelSimilarity().fit(batches), wanted)
    for wrong, said in (([SOME], "pair (images, labels), got Tensor"), (SOME, "pair (images, labels), got Tensor"), (7, "got int"),
                        (None, "got NoneType"), ([(SOME, SOME_LABELS, 1)], "got tuple"),
                        ([(torch.rand(2, 3, 5, 5), [3, 7])], "have colors"),
                        (pairs + [(SOME[:2, :14], [3, 7])], "28×28 as before, got 14×28"),
                        (pairs + [(SOME[:2], ["3", "7"])], "all strings or all numbers")):
        with pytest.raises((TypeError, ValueError), match=re.escape(said)): PixelSimilarity().fit(wrong)


# fastai

@pytest.fixture(scope="module")
def digits_folder(fastai_home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASTAI_HOME", str(fastai_home))
        return mnist_sample_folder()


@pytest.fixture(scope="module")
def loaders(digits_folder):
    "fastai's DataLoaders over the folders of digits, in gray. The training set is shuffled and drops its last images."
    from fastai.vision.all import ImageDataLoaders, PILImageBW
    return ImageDataLoaders.from_folder(digits_folder, train="train", valid="valid", img_cls=PILImageBW, bs=512, num_workers=0)


@pytest.fixture
def from_files(): return PixelSimilarity().fit(TRAIN.images, TRAIN.labels.astype(str))


def test_fastais_loaders(loaders, from_files):
    "What `fit` learns from them is, to the bit, what it learns from the digits in memory; the classes are those of the vocab."
    assert loaders.train.drop_last and loaders.train.shuffle and len(loaders.train.dataset) % loaders.train.bs
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model = PixelSimilarity().fit(loaders)
    assert same_model(model, from_files) and model.classes_.tolist() == ["3", "7"] == [*loaders.vocab]
    assert loaders.train.drop_last and loaders.train.shuffle  # theirs are as they were


def test_one_of_fastais_loaders(loaders):
    "The validation loader alone gives its digits; the training loader alone too, with a warning for those that it drops."
    expected = PixelSimilarity().fit(VALID.images, VALID.labels.astype(str))
    assert same_model(PixelSimilarity().fit(loaders.valid), expected)
    with pytest.warns(UserWarning, match="drop_last"): model = PixelSimilarity().fit(loaders.train)
    assert 12_000 < model.counts_.sum() < len(TRAIN)


def test_fastais_loaders_in_color(digits_folder):
    "fastai reads files in color unless told otherwise: three equal channels, the same model, and a module that it can train."
    from fastai.vision.all import CrossEntropyLossFlat, ImageDataLoaders, Learner, get_image_files
    files = sorted(get_image_files(digits_folder / "train"))[::20]
    loaders = ImageDataLoaders.from_path_func(digits_folder, files, lambda path: path.parent.name, bs=64, num_workers=0, seed=1)
    assert loaders.one_batch()[0].shape[1] == 3
    names = [str(path) for path in loaders.train.dataset.items]
    wanted = PixelSimilarity().fit(names, [Path(name).parent.name for name in names])
    assert same_model(PixelSimilarity().fit(loaders), wanted)
    learner = Learner(loaders, wanted.module(learn=True, scale=20), loss_func=CrossEntropyLossFlat())
    with learner.no_bar(), learner.no_logging():
        before, _ = learner.validate(), learner.fit(1, lr=1e-2)
        assert learner.validate()[0] < before[0]


def test_fastais_learner(loaders):
    "Its metrics on the module are the score of the classifier, and one minus it; the loss is that of the logits."
    from fastai.vision.all import CrossEntropyLossFlat, Learner, accuracy, error_rate
    for distance in ("l1", "l2"):
        model = PixelSimilarity(distance).fit(TRAIN.images, TRAIN.labels.astype(str))
        learner = Learner(loaders, model.module(scale=20), loss_func=CrossEntropyLossFlat(), metrics=[accuracy, error_rate])
        with learner.no_bar(), learner.no_logging(): loss, right, wrong = learner.validate()
        score = model.score(VALID.images, VALID.labels.astype(str))
        assert right == pytest.approx(score, abs=1e-6) and wrong == pytest.approx(1 - score, abs=1e-6)
        logits, target = -20 * model.distances(VALID.images), torch.from_numpy((VALID.labels == 7).astype(np.int64))
        assert loss == pytest.approx(torch.nn.functional.cross_entropy(logits, target).item(), abs=1e-5)


def test_fastais_images(digits_folder, from_files):
    "Images that fastai has opened, and its tensors, are images."
    from fastai.vision.all import PILImage, PILImageBW, TensorImage, TensorImageBW
    paths = sorted((digits_folder / "valid").glob("*/*.png"))[::100]
    wanted = from_files.predict(paths).tolist()
    assert set(wanted) == {"3", "7"}
    for kind in (PILImage, PILImageBW): assert from_files.predict([kind.create(path) for path in paths]).tolist() == wanted
    pixels = torch.stack([torch.from_numpy(np.array(Image.open(path))) for path in paths])
    for tensor in (TensorImageBW(pixels), TensorImage(pixels.float() / 255)):
        assert from_files.predict(tensor).tolist() == wanted and type(from_files.distances(tensor)) is torch.Tensor


# Pillow and files

def test_files_and_pillows_images(tmp_path):
    "A path, a string, lists of them, opened images and made ones: all are what their pixels are, in fit, predict and score."
    images, labels = VALID.images[::200], VALID.labels[::200]
    paths = [tmp_path / f"{i}.png" for i in range(len(images))]
    made = [Image.fromarray(image.numpy()) for image in images]
    for image, path in zip(made, paths, strict=True): image.save(path)
    model = WHOLE["l2"]
    wanted = model.distances(images)
    opened = [Image.open(path) for path in paths]
    kinds = {"paths": paths, "strings": [str(path) for path in paths], "tuple": tuple(paths), "made": made, "opened": opened,
             "mixed": [*paths[:3], *map(str, paths[3:6]), *made[6:]], "in color": [image.convert("RGB") for image in made],
             "with transparency": [image.convert("LA") for image in made]}
    for name, listed in kinds.items():
        assert torch.equal(model.distances(listed), wanted), name
        assert model.predict(listed).tolist() == model.predict(images).tolist(), name
        assert model.score(listed, labels) == model.score(images, labels), name
        assert same_model(PixelSimilarity().fit(listed, labels), PixelSimilarity().fit(images, labels)), name
    for image in opened: image.close()
    for one in (paths[0], str(paths[0]), made[0]): assert model.predict(one).tolist() == model.predict(images[:1]).tolist()
    inverted = [Image.fromarray(255 - image.numpy()) for image in images]
    assert torch.equal(model.distances(inverted, invert=True), wanted)
    large = [image.resize((56, 56), Image.Resampling.NEAREST) for image in made]
    assert torch.equal(model.distances(large, resize=True), wanted)
    with pytest.raises(ValueError, match=r"\(n, 28, 28\), got \(11, 56, 56\).*resize=True"): model.predict(large)


def test_files_that_are_not_there(tmp_path):
    "A wrong path is named, and so is a list of two kinds."
    for call in (WHOLE["l1"].predict, lambda x: WHOLE["l1"].score(x, [3]), lambda x: PixelSimilarity().fit(x, [3])):
        with pytest.raises(FileNotFoundError, match="gone.png"): call(str(tmp_path / "gone.png"))
    with pytest.raises(TypeError, match=r"images\[1\] is Tensor, and others are files"): WHOLE["l1"].predict(["a.png", SOME[0]])


# Several processes, each with its share. One pair of them does it all, since each takes seconds to start

EYE = torch.eye(3, dtype=torch.uint8) * 200


def broken(pairs):
    "Batches that end in an error of their own."
    yield from pairs
    raise KeyError("the disk is gone")


def shares():
    "By name: the parameters, and what each of the two ranks fits; made anew, as some can be used only once."
    x, y, words = TRAIN.images, TRAIN.labels, np.where(TRAIN.labels == 3, "drei", "sieben é")
    floats = np.random.default_rng(0).random((300, 4, 5), dtype=np.float32)
    nan = torch.full((2, 28, 28), torch.nan)
    few, some = (x[:9], y[:9]), (x[::1000], y[::1000])
    return {
        "uneven": ({}, (x[:4000], y[:4000]), (x[4000:], y[4000:])),
        "median": ({"distance": "l2", "prototype": "median"}, (x[::9], y[::9]), (x[1::9], y[1::9])),
        "no images": ({}, (x, y), (x[:0], y[:0])),
        "no batches": ({"prototype": "median"}, (iter([]),), (SOME, SOME_LABELS)),
        "a class each": ({}, (TRAIN[3], [3] * len(TRAIN[3])), (TRAIN[7], [7] * len(TRAIN[7]))),
        "a class in the middle": ({}, (x[:99], [9, 1, 1] * 33), (x[:50], [5] * 50)),
        "words": ({"distance": "l2"}, (x[y == 3], words[y == 3]), (x, words)),
        "loaders": ({}, (loader(shuffle=True),), ([(x[:1, None], y[:1]), (x[1:].float() / 255, torch.from_numpy(y[1:]))],)),
        "floats": ({}, (floats[:200], [3, 7] * 100), (floats[200:], [3, 7] * 50)),
        "widths": ({}, (x[:99], y[:99].astype(np.uint8)), (x[-99:], y[-99:].astype(">i4"))),
        "sizes": ({}, some, (x[::1000, :14], y[::1000])),
        "kinds of labels": ({}, some, (x[::1000], words[::1000])),
        "nothing": ({}, (x[:0], []), (iter([]),)),
        "one class": ({}, few, few),
        "wrong on 1": ({}, some, (nan, [3, 7])),
        "wrong on 0": ({}, (broken([some, some]),), some),
        "wrong on both": ({}, (x, y[:5]), (EYE[None], [None])),
        "colors on 1": ({"prototype": "median"}, some, ([(torch.rand(2, 3, 9, 9), [3, 7])],)),
        "after all that": ({}, some, some)}


def work(rank, folder):
    "What each of the two processes does: every case in turn, and what came of it in a file."
    meeting = (folder / "meeting").as_uri()
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2, timeout=timedelta(seconds=60))
    told = {}
    def tell(name, do):
        try: told[name] = do()
        except Exception as e: told[name] = f"{type(e).__name__}: {e}"
    for name, (parameters, *mine) in shares().items():
        tell(name, lambda: str(PixelSimilarity(**parameters).fit(*mine[rank]).save(folder / f"{name} {rank}.npz")))
    tell("prototypes", lambda: repr(PixelSimilarity(prototype=["mean", "median"][rank]).fit(SOME, SOME_LABELS)))
    known = PixelSimilarity().fit(SOME, SOME_LABELS)
    before = copy.deepcopy(known)
    tell("again", lambda: known.fit(*shares()["wrong on 1"][1 + rank]))
    told["unchanged"] = same_model(known, before)
    told["alone"] = PixelSimilarity().partial_fit(SOME[:rank + 1], SOME_LABELS[:rank + 1]).counts_.tolist()
    told["score"] = known.score(VALID.images[rank:], VALID.labels[rank:])
    (folder / f"{rank}.json").write_text(json.dumps(told), encoding="utf-8")
    dist.barrier()
    dist.destroy_process_group()


CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import test_company
test_company.work(int(sys.argv[2]), Path(sys.argv[3]))
"""


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    "The folder in which two processes have left their models, and what each has told."
    if not (dist.is_available() and dist.is_gloo_available()): pytest.skip("NOT TESTED: torch has no gloo here")
    folder = tmp_path_factory.mktemp("ranks")
    path = os.pathsep.join(filter(None, [str(Path(pixelsim.__file__).parents[1]), os.getenv("PYTHONPATH")]))
    env = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", CHILD, str(Path(__file__).parent)]
    started = [subprocess.Popen([*command, str(rank), str(folder)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                encoding="utf-8") for rank in (0, 1)]
    try: said = [process.communicate(timeout=180)[1] for process in started]
    finally:
        for process in started: process.kill()
    assert [process.returncode for process in started] == [0, 0], "\n".join(text[-2000:] for text in said)
    return folder, [json.loads((folder / f"{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1)]


def together(name):
    "The model of one process with the images of both ranks."
    parameters, *mine = shares()[name]
    def batches():
        for share in mine: yield from share[0] if len(share) == 1 else [share]
    return PixelSimilarity(**parameters).fit(batches())


@pytest.mark.parametrize("name", ["uneven", "median", "no images", "no batches", "a class each", "a class in the middle",
                                  "words", "loaders", "widths", "after all that"])
def test_two_processes_learn_what_one_learns(ranks, name):
    "Both end with the model that one process learns from all images, bit by bit, whatever the shares."
    folder, told = ranks
    assert all(report[name].endswith(".npz") for report in told), told[0][name]
    wanted = together(name)
    for rank in (0, 1):
        found = PixelSimilarity.load(folder / f"{name} {rank}.npz")
        assert same_model(found, wanted) and (found.distance, found.prototype) == (wanted.distance, wanted.prototype)
    assert {"words": ["drei", "sieben é"], "a class in the middle": [1, 5, 9]}.get(name, [3, 7]) == wanted.classes_.tolist()


def test_sums_of_floats_are_the_same_on_both(ranks):
    "Floats that were never whole numbers have no exact sum: both ranks hold one model, and one process nearly the same."
    folder, _ = ranks
    first, second = (PixelSimilarity.load(folder / f"floats {rank}.npz") for rank in (0, 1))
    assert same_model(first, second)
    np.testing.assert_allclose(first.prototypes_, together("floats").prototypes_, atol=1e-6)


@pytest.mark.parametrize("name, parts", [
    ("sizes", ["ValueError", "different sizes", "14", "28"]),
    ("kinds of labels", ["ValueError", "different kinds of labels", "int", "str"]),
    ("nothing", ["ValueError", "no images to fit"]), ("one class", ["ValueError", "at least two classes, got [3]"])])
def test_shares_that_do_not_go_together(ranks, name, parts):
    "The same error on both, and neither waits for the other."
    _, told = ranks
    assert told[0][name] == told[1][name]
    for part in parts: assert part in told[0][name]


def test_different_prototypes(ranks):
    "One rank takes the mean and one the median: the error is about that."
    _, told = ranks
    for said in (report["prototypes"] for report in told):
        assert "ValueError" in said and "prototype" in said and "sizes" not in said


@pytest.mark.parametrize("name, wrong, own", [
    ("wrong on 0", 0, "KeyError: 'the disk is gone'"), ("wrong on 1", 1, "ValueError: images should be finite numbers"),
    ("again", 1, "ValueError: images should be finite numbers"),
    ("colors on 1", 1, "ValueError: images of shape (2, 3, 9, 9) have colors")])
def test_one_rank_fails(ranks, name, wrong, own):
    "It raises its own error; the other a RuntimeError that says where and what; what they knew stays, and they go on."
    _, told = ranks
    assert told[wrong][name].startswith(own)
    said = told[1 - wrong][name]
    assert said.startswith(f"RuntimeError: rank {wrong} could not fit") and own in said
    assert [report["unchanged"] for report in told] == [True, True]


def test_both_ranks_fail(ranks):
    "Each raises its own error."
    _, told = ranks
    assert "labels should have shape (12396,)" in told[0]["wrong on both"]
    assert "ValueError: 1 labels are missing" in told[1]["wrong on both"]


def test_what_each_rank_does_alone(ranks):
    "Only `fit` waits for the others: partial_fit and score are each rank's own."
    _, told = ranks
    assert [report["alone"] for report in told] == [[1], [2]]
    model = PixelSimilarity().fit(SOME.repeat(2, 1, 1), np.tile(SOME_LABELS, 2))
    assert [report["score"] for report in told] == [model.score(VALID.images[rank:], VALID.labels[rank:]) for rank in (0, 1)]
