"The nearest mean as a fastai Learner: it begins with the means, in the order of the loaders' classes; training moves them; what goes wrong."
import sys

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from pixelsim.learner import prototype_learner

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script", "ignore:The 'mode.chained_assignment' option")
LABELS = [0, 1, 0, 1, 2, 0, 1, 2]


def loaders(labels, vocab=None):
    "Eight images of 4×4 and their labels as fastai's loaders; those held back are the same."
    from fastai.data.core import DataLoaders
    images = torch.arange(128).reshape(8, 1, 4, 4) / 128
    made = DataLoaders(*[DataLoader(TensorDataset(images, torch.tensor(labels)), batch_size=3, shuffle=shuffle) for shuffle in (True, False)])
    if vocab: made.vocab = vocab
    return images, made


@pytest.mark.parametrize("vocab", [None, ["a", "b", "c"], ["c", "a", "b"]])
@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_it_begins_with_the_means_in_the_order_of_the_classes(vocab, distance):
    images, dls = loaders(LABELS, vocab)
    network = prototype_learner(dls, distance).model
    means = torch.stack([images[torch.tensor(LABELS) == k].mean((0, 1)) for k in range(3)])
    torch.testing.assert_close(network.prototypes.detach(), means, atol=1e-6, rtol=0)
    far = (images - means).abs().mean((2, 3)) if distance == "l1" else (images - means).square().mean((2, 3)).sqrt()
    torch.testing.assert_close(network(images).detach(), -100 * far, rtol=1e-4, atol=1e-3)


def test_a_step_is_minus_the_rate_times_the_gradient():
    "One epoch of one batch, against PyTorch's own gradient."
    import fastai.callback.progress  # for no_bar
    from fastai.optimizer import SGD
    images, dls = loaders(LABELS)
    dls.train = DataLoader(TensorDataset(images, torch.tensor(LABELS)), batch_size=8)
    learn = prototype_learner(dls, scale=10, opt_func=SGD)
    start = learn.model.prototypes.detach().clone().requires_grad_()
    logits = -10 * (images - start).square().mean((-1, -2)).sqrt()
    slope, = torch.autograd.grad(torch.nn.functional.cross_entropy(logits, torch.tensor(LABELS)), [start])
    with learn.no_bar(), learn.no_logging(): learn.fit(1, 0.1, wd=0.)
    torch.testing.assert_close(learn.model.prototypes.detach(), (start - 0.1 * slope).detach(), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("labels, vocab, words", [
    ([1, 2, 1, 2, 1, 2, 1, 2], None, r"the labels are \[1, 2\], the classes \[0, 1\]; look at get_y and splitter"),
    ([0, 1, 0, 1, 0, 1, 0, 1], ["a", "b", "c"], r"the labels are \['a', 'b'\], the classes \['a', 'b', 'c'\]; look at get_y and splitter"),
    ([0] * 8, ["a"], "at least two classes")])
def test_classes_without_training_images(labels, vocab, words):
    with pytest.raises(ValueError, match=words): prototype_learner(loaders(labels, vocab)[1])


def test_without_fastai_it_says_how_to_get_it(monkeypatch):
    _, dls = loaders([0, 1] * 4)
    for name in [name for name in sys.modules if name.split(".")[0] == "fastai"]: monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"prototype_learner needs fastai, which comes with the lessons: run .*pip install"): prototype_learner(dls)
