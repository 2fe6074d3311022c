"The classifier as a layer: the same distances, slopes, states, devices and types, and learning in a network."
import copy

import numpy as np
import pytest
import torch

from pixelsim.classifier import PixelSimilarity
from pixelsim.torch_module import NearestPrototype


@pytest.fixture(scope="module")
def models(digits): return {distance: PixelSimilarity(distance).fit(digits[0]) for distance in ("l1", "l2")}


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_the_module_says_what_the_classifier_says(distance, models, digits):
    "Logits are minus the distances, times the scale; with and without an axis for channels; in eval and without gradients."
    model, images = models[distance], digits[1].images
    net = model.module(scale=10).eval()
    with torch.no_grad(): logits = net(images)
    assert not net.training and torch.allclose(logits, -10 * model.distances(images), atol=1e-6)
    for same in (images[:, None], images[:, None].expand(-1, 3, -1, -1), images.float() / 255): assert torch.equal(net(same), logits)
    assert model.classes_[logits.argmax(1).numpy()].tolist() == model.predict(images).tolist()
    assert not net(images[:2]).requires_grad and model.module(learn=True)(images[:2]).requires_grad
    wide = copy.deepcopy(net).to(torch.float64)  # to a device: see `test_arrays.py`
    assert wide(images).dtype == torch.float64 and torch.allclose(wide(images), logits.double(), atol=1e-5) and wide.to("meta").prototypes.is_meta
    assert repr(net) == f"NearestPrototype(2 classes, distance={distance!r}, scale=10)"


@pytest.mark.parametrize("distance", ["l1", "l2"])
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


def test_the_state_of_a_module(tmp_path, models, digits):
    "Only the prototypes are saved; they are loaded, and are not those of the classifier; another number of classes is refused."
    images, net = digits[1].images, models["l2"].module(learn=True)
    assert [*net.state_dict()] == [*dict(net.named_parameters())] == ["prototypes"] and net.prototypes.is_leaf
    torch.save(net.state_dict(), tmp_path / "net.pt")
    other, three = (PixelSimilarity("l2").fit(images, np.arange(len(images)) % k).module() for k in (2, 3))
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    for same in (other, copy.deepcopy(net)): assert torch.equal(same(images), net(images))
    with pytest.raises(RuntimeError, match="size mismatch"): three.load_state_dict(net.state_dict())
    before = models["l2"].prototypes_.clone()
    with torch.no_grad(): net.prototypes.zero_()
    assert torch.equal(models["l2"].prototypes_, before)


def test_the_module_learns_in_a_network(models, digits):
    "Between other layers, with weights of its own that an optimizer finds, the loss goes down; fixed prototypes stay."
    torch.manual_seed(0)
    images, target = digits[0].images[::60].float() / 255, torch.from_numpy((digits[0].labels[::60] == 7).astype(np.int64))
    for learn in (True, False):
        net = torch.nn.Sequential(torch.nn.Unflatten(1, (28, 28)), models["l2"].module(learn=learn, scale=10), torch.nn.Linear(2, 2))
        before, losses = net[1].prototypes.clone(), []
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(30):
            optimizer.zero_grad()
            losses.append(torch.nn.functional.cross_entropy(net(images.flatten(1)), target))
            losses[-1].backward()
            optimizer.step()
        assert losses[-1] < losses[0] and torch.equal(net[1].prototypes, before) != learn


@pytest.mark.parametrize("prototypes, said", [
    (torch.full((2, 3, 4), 200.), "got 200 to 200"), (torch.full((2, 3, 4), torch.nan), "nan at prototypes"), (torch.rand(3, 4), r"\(3, 4\)"),
    (torch.rand(0, 3, 4), "at least one image")], ids=["to 255", "NaN", "one", "none"])
def test_prototypes_are_checked(prototypes, said):
    "What is no prototype is refused, by this name."
    with pytest.raises(ValueError, match=f"prototypes.*{said}"): NearestPrototype(prototypes)
    with pytest.raises(ValueError, match="distance should be 'l1' or 'l2', got 'l3'"): NearestPrototype(torch.rand(2, 3, 4), "l3")
