"One strip of memory: shape, strides, places, copies and refusals against PyTorch, and walking through it by keys."
import numpy as np
import pytest
import torch
from figure_pages import says, settled, texts, trait

from pixelsim.course.figure_strip import OPERATIONS, MemoryStrip, fits


def chains(n, seed):
    "Matrices and chains of one to six operations that PyTorch can do, of which the last may be refused by `view`; what comes out of each, or the error."
    random = np.random.default_rng(seed)
    for _ in range(n):
        x = torch.arange(100, 100 + (size := int(random.choice([1, 2, 3, 4])) * int(random.choice([1, 2, 3, 6])))).to(torch.uint8)
        x = x.reshape(int(random.choice([k for k in (1, 2, 3, 4, 6) if size % k == 0])), -1)
        view, ops, error = x, [], ""
        for op in random.choice([*OPERATIONS, ".T", ".T", "[:, ::2]", "[None]", ".view(-1)"], random.integers(1, 7)):
            if op == ".T" and view.ndim != 2 or op == "[None]" and view.ndim > 2: continue  # the figure does these to few axes only
            try: new = OPERATIONS[op](view)
            except (RuntimeError, IndexError) as why:
                if "view size is not compatible" not in str(why): continue
                ops.append(str(op))
                error = str(why)
                break
            if new.numel() == 0 or new.ndim > 3 or new.numel() > 200: continue
            if op == ".expand(3, -1)" and view.ndim == 2 and view.shape[0] != 1: continue  # nothing is stretched
            ops.append(str(op))
            view = new
        yield x, ops, view, error


def test_shapes_strides_and_memory_are_pytorchs(arithmetic):
    "4,000 chains: shape, strides, offset, the same memory or a copy, every value and its place, and PyTorch's words where `view` refuses."
    cases = list(chains(4000, 8))
    found = arithmetic("strip", """return data.map(([values, shape, ops]) => {
        const { view, error, done } = m.after(values, shape, ops);
        return [view.shape, view.strides, view.offset, view.memory > 0, m.placesOf(view).map((place) => view.memories[view.memory][place]), m.placesOf(view), error, done];
    })""", [[x.flatten().tolist(), list(x.shape), ops] for x, ops, _, _ in cases])
    for (x, ops, view, error), (shape, strides, offset, copied, values, places, words, done) in zip(cases, found):
        assert (done, shape, words) == (ops, list(view.shape), error)
        assert values == view.flatten().tolist()
        assert copied == (view.untyped_storage().data_ptr() != x.untyped_storage().data_ptr()) and offset == view.storage_offset(), ops
        assert strides == list(view.stride()), ops
        memory = torch.empty(0, dtype=torch.uint8).set_(view.untyped_storage())
        assert memory[places].tolist() == values
    assert sum(bool(error) for *_, error in cases) > 100 and sum(row[3] for row in found) > 100


def test_what_cannot_be_done_is_not_offered(arithmetic):
    "In 2,000 states: what the figure offers, PyTorch does, unless `view` refuses; what it does not offer fails, leaves nothing, or is more than it shows."
    cases = [(x, ops, view) for x, ops, view, error in chains(2000, 9) if not error]
    found = arithmetic("strip", """return data.map(([values, shape, ops]) => { const { view } = m.after(values, shape, ops);
        return Object.entries(m.OPERATIONS).filter(([, { fits }]) => fits(view)).map(([op]) => op); })""", [[x.flatten().tolist(), list(x.shape), ops] for x, ops, _ in cases])
    for (_, ops, view), offered in zip(cases, found):
        assert offered == [op for op in OPERATIONS if fits(op, view)]
        for op in OPERATIONS:
            if op == ".T" and view.ndim != 2:
                assert op not in offered
                continue
            try: result, why = OPERATIONS[op](view), ""
            except (RuntimeError, IndexError) as error: result, why = None, str(error)
            if op in offered: assert result is not None and result.numel() > 0 or "not compatible" in why, (ops, op)
            else: assert result is None or result.numel() == 0 or op in ("[None]", ".expand(3, -1)") or op in ("[1:]", "[:, 1]", "[1]") and min(view.shape[:2]) < 2, (ops, op)


def values_of(page, squares): return [int(text) for text in texts(page, f"{squares} > span")]


def test_the_screen_is_the_tensor(play):
    "After each of four operations: the squares are the elements, and the traits say the same in Python."
    shown = MemoryStrip()
    page = play(shown)
    page.get_by_role("button", name="back to x").click()
    for op in (".T", "[:, ::2]", ".reshape(3, -1)", "[1:]"):
        page.get_by_role("button", name=op, exact=True).click()
        settled(page)
        shown.ops = trait(page, "ops")
        assert shown.ops[-1] == op and values_of(page, "[role=gridcell]") == shown.view.flatten().tolist()
        assert texts(page, ".psf-facts") == [f"shape {tuple(shown.view.shape)}, strides {shown.strides}, offset {shown.view.storage_offset()}, {'the same memory' if shown.same_memory else 'a copy'}"]
    page.get_by_role("button", name="take the last away").click()
    assert trait(page, "ops") == [".T", "[:, ::2]", ".reshape(3, -1)"]


@pytest.mark.parametrize("ops, changed", [([".T", "[1:]"], True), ([".T", ".flatten()"], False), (["[1]", ".expand(3, -1)"], True)])
def test_writing_into_a_view_changes_the_strip_and_into_a_copy_does_not(play, ops, changed):
    shown = MemoryStrip(ops=ops)
    page = play(shown)
    page.get_by_role("spinbutton", name="index along axis 0").fill("2")
    page.get_by_role("button", name="write 99").click()
    settled(page)
    shown.index, shown.wrote = trait(page, "index"), True
    strip = values_of(page, ".psf-strips > :first-child .psf-square")
    assert strip == shown.memory and (99 in strip) == changed and values_of(page, "[role=gridcell]") == shown.view.flatten().tolist()
    assert says(page).endswith("x has changed with it." if changed else "x stays as it was.")


def test_the_place_of_an_element(play):
    page = play(MemoryStrip())
    page.get_by_role("spinbutton", name="index along axis 0").fill("1")
    settled(page)
    assert page.locator(".psf-formula").inner_text() == "element [1, 0] is at place 1 + 1·1 + 0·6 = 2, and is 0"


def test_a_choice_as_a_guess(play):
    page = play(MemoryStrip(ops=[".T", ".flatten()"], ask="memory", name="copy"), opened=False)
    page.get_by_role("button", name="Guess").click()
    assert page.get_by_role("alert").inner_text() == "Choose one."
    page.get_by_label("the same memory").check()
    page.get_by_role("button", name="Guess").click()
    settled(page)
    assert page.locator(".psf-truth").inner_text() == "You guessed the same memory. It is a copy."
