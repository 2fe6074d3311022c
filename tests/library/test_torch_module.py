"The classifier as a layer: the same distances, slopes, states, devices and types."
import copy

import numpy as np
import pytest
import torch

from pixelsim.classifier import PixelSimilarity
from pixelsim.torch_module import NearestPrototype

BOTH = pytest.mark.parametrize("distance", ["l1", "l2"])


@BOTH
def test_the_module_says_what_the_classifier_says(distance, digits):
    "Logits are minus the distances, times the scale; with and without an axis for channels; only prototypes that learn have gradients."
    model, images = PixelSimilarity(distance).fit(digits[0]), digits[1].images
    net = model.module(scale=10)
    logits = net(images)
    assert torch.allclose(logits, -10 * model.distances(images), atol=1e-6)
    for same in (images[:, None], images[:, None].expand(-1, 3, -1, -1), images.float() / 255): assert torch.equal(net(same), logits)
    assert model.classes_[logits.argmax(1).numpy()].tolist() == model.predict(images).tolist()
    assert not net(images[:2]).requires_grad and model.module(learn=True)(images[:2]).requires_grad
    wide = copy.deepcopy(net).to(torch.float64)  # to a device: see `test_arrays.py`
    assert wide(images).dtype == torch.float64 and torch.allclose(wide(images), logits.double(), atol=1e-5) and wide.to("meta").prototypes.is_meta
    assert repr(net) == f"NearestPrototype(2 classes, distance={distance!r}, scale=10)"


@BOTH
def test_slopes_of_the_module(distance):
    "What small steps in float64 find, as PyTorch checks it; what moves an image to a prototype is what moves that one back."
    prototypes, images = torch.rand(2, 2, 3, 4, generator=torch.Generator().manual_seed(1)) / 2 + 0.25
    net, images = NearestPrototype(prototypes, distance, learn=True, scale=3.).double(), images.requires_grad_()
    def logits(p): return torch.func.functional_call(net, {"prototypes": p}, (images.detach(),))
    assert torch.autograd.gradcheck(logits, net.prototypes)
    net(images).sum().backward()
    np.testing.assert_allclose(images.grad.sum(0), -net.prototypes.grad.sum(0), atol=1e-6)
    at_zero = net(net.prototypes.detach().float().requires_grad_()).sum()
    assert all(grad.isfinite().all() for grad in torch.autograd.grad(at_zero, net.prototypes))


def test_the_state_of_a_module(model):
    "Only the prototypes are in it, and they are not those of the classifier."
    net, before = model.module(learn=True), model.prototypes_.clone()
    assert [*net.state_dict()] == [*dict(net.named_parameters())] == ["prototypes"] and net.prototypes.is_leaf
    with torch.no_grad(): net.prototypes.zero_()
    assert torch.equal(model.prototypes_, before)


def test_one_graph(model, digits):
    "Compiled, it is one graph without breaks, whatever compiles it; exported: see its notebook."
    images, net = digits[1].images / 255, model.module()
    assert torch.equal(torch.compile(net, backend="eager", fullgraph=True)(images), net(images))


def test_prototypes_are_checked():
    "What is no prototype is refused, by this name. Arrays of every kind: test_arrays.py."
    with pytest.raises(ValueError, match="prototypes.*got 200 to 200"): NearestPrototype(torch.full((2, 3, 4), 200.))
    with pytest.raises(ValueError, match="distance should be 'l1' or 'l2', got 'l3'"): NearestPrototype(torch.rand(2, 3, 4), "l3")
