"""The arena: its opening board against NumPy, SciPy and scikit-learn, what it says, shows and merges, and how it replies."""
import re
import sys
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.stats import binomtest, rankdata
from sklearn.neighbors import KNeighborsClassifier

from pixelsim.classifier import PixelSimilarity
from pixelsim.course import Arena
from pixelsim.course.arena_digits import arena_digits
from pixelsim.course.arena_pictures import example_images
from pixelsim.course.board_file import board_bytes
from pixelsim.course.entries import Entry, in_order
from pixelsim.course.ideas import darkest_row
from pixelsim.course.opening import opening_ideas


@pytest.fixture
def arena(): return Arena()


@pytest.fixture(scope="module")
def sets():
    "Training and validation set in the arena's order, as NumPy arrays."
    return [SimpleNamespace(images=s.images.numpy(), flat=s.images.numpy().reshape(-1, 784), labels=s.labels.numpy()) for s in arena_digits()]


def bar(images): return torch.where(images[:, 9, 11] > 0.5, 7, 3)  # labels need no threshold, and so no training set


def group(entries, folder, member="Chipo"):
    "An arena with these entries."
    (folder / "group.json").write_bytes(board_bytes(entries, member))
    return Arena.load(folder / "group.json")


# The opening board


def by_line(train_values, train_labels, values):
    "Labels by the threshold, among all between neighboring values, that is right most often; large means 7, and of equals the lowest for negated numbers."
    levels = np.unique(-train_values)
    lines = (levels[1:] + levels[:-1]) / 2
    right = [((-train_values > line) == (train_labels == 3)).sum() for line in lines]
    return np.where(-values > lines[np.argmax(right)], 3, 7)


def to_mirror(x, axis): return np.abs(x.astype(float) - np.flip(x, axis)).mean((1, 2))


def strokes(x): return (np.diff(x > 0.5, axis=1, prepend=False) & (x > 0.5)).sum(1)


MEASURES = {  # numbers that are larger for a 7
    "ink coverage": lambda x: -(x > 0).sum((1, 2)), "ink in the bottom third": lambda x: -(x[:, 19:] > 0).sum((1, 2)),
    "the darkest row": lambda x: -np.rint(255 * x).sum(2).argmax(1).astype(float),
    "up-down symmetry": lambda x: -to_mirror(x, 1), "up-down symmetry / ink": lambda x: to_mirror(x, 1) / x.mean((1, 2), dtype=float),
    "left-right symmetry": lambda x: -to_mirror(x, 2), "left-right symmetry / ink": lambda x: to_mirror(x, 2) / x.mean((1, 2), dtype=float),
    "enclosed areas": lambda x: -np.array([ndimage.label(~np.pad(image > 0.5, 1))[1] for image in x]),
    "strokes, middle column": lambda x: -strokes(x)[:, 14], "strokes, all columns": lambda x: -strokes(x).sum(1), "the most telling pixel": lambda x: -x[:, 13, 13]}
AVERAGES = {  # of each digit, and scikit-learn's name for the distance to it
    "mean image, L1": (np.mean, "manhattan"), "mean image, L2": (np.mean, "euclidean"), "median image, L1": (np.median, "manhattan"), "mean image, cosine": (np.mean, "cosine")}
IDEAS = [*MEASURES, *AVERAGES, "nearest neighbor", "always 7"]


def expected(name, train, valid):
    "What an idea says of the validation images, by NumPy, SciPy or scikit-learn."
    if name == "always 7": return np.full(len(valid.labels), 7)
    if name in MEASURES: return by_line(MEASURES[name](train.images), train.labels, MEASURES[name](valid.images))
    average, metric = AVERAGES.get(name, (None, "euclidean"))
    known = (train.flat, train.labels) if average is None else ([average(train.flat[train.labels == d].astype(float), axis=0) for d in (3, 7)], [3, 7])
    return KNeighborsClassifier(1, metric=metric, algorithm="brute").fit(*known).predict(valid.flat)


@pytest.mark.parametrize("name", IDEAS)
def test_opening_idea(name, arena, sets):
    "Threes and sevens that it gets right, and whose it is."
    said, labels = expected(name, *sets), sets[1].labels
    assert (arena.entry(name).right3, arena.entry(name).right7) == tuple((said[labels == d] == d).sum() for d in (3, 7))
    assert arena.entry(name).member == ("the book" if name == "mean image, L1" else "opening")


@given(st.integers(0, 1010), st.integers(0, 1028))
@example(1010, 1028)
@example(0, 0)
def test_entry(right3, right7):
    "Everything that follows from the counts, by arithmetic; the interval against SciPy."
    entry = Entry("a", "b", right3, right7)
    assert (entry.threes, entry.sevens, entry.accuracy) == (right3/1010, right7/1028, (right3 + right7)/2038)
    assert entry.mean == pytest.approx((right3/1010 + right7/1028) / 2)
    assert entry.interval == pytest.approx(tuple(binomtest(right3 + right7, 2038).proportion_ci(method="wilson")), abs=1e-12)


# Entering


def stuck(images):
    rows = images.sum(2)
    return rows[:, 28]


@pytest.mark.parametrize("show", [True, False])
@pytest.mark.parametrize("rule, why, error", [
    (stuck, "it stopped with IndexError in line", IndexError), (torch.zeros(3), "it is of type Tensor", type(None)),
    (lambda images: ..., "is not entered yet: replace the three dots with your rule", type(None))], ids=["stuck", "no function", "three dots"])
def test_a_refusal_is_a_reply_and_the_board_stays(rule, why, error, show, arena, capsys):
    "One line says what is wrong, a program can ask, and whoever wants to see it all finds the error; an older entry of the name stays."
    assert arena.enter("bad", bar, show=False)
    before = arena.entries
    result = arena.enter("bad", rule, show=show)
    assert (bool(result), result.entered, result.entry, repr(result)) == (False, False, None, "Result(entered=False)")
    assert result.says.startswith("'bad' ") and why in result.says and type(result.error) is error
    assert capsys.readouterr().out.strip() in (result.says, f"✘ {result.says}") and not plt.get_fignums()
    assert arena.entries == before


def test_an_interrupt_leaves_the_board_as_it_was(arena):
    def impatient(images): raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt): arena.enter("slow", impatient)
    assert len(arena.entries) == 17


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x"*41, "\ud800", "\u202eright to left", 7, None, bar])
def test_bad_names(name, arena):
    "A name is a short line that can be seen; so is a member's, and nobody is the book."
    why = "1 to 40 characters|should be a text in quotes"
    assert re.search(f"^The rule was not entered: the name .*({why})", arena.enter(name, bar).says) and len(arena.entries) == 17
    for member, why in ((name, why), ("opening", "'opening': that name is taken"), (" the book ", "the member cannot be 'the book': that name is taken")):
        with pytest.raises(ValueError, match=why): Arena(member)
        with pytest.raises(ValueError, match=why): arena.member = member


def test_remarks(arena, capsys):
    "The wrong way round, labels swapped, one image at a time, a second try, and not one mistake: each is said, once."
    def says(name, rule): return arena.enter(name, rule, show=False).says
    assert "if small numbers meant 7, it would be right for 0.7027 of the training images. Here larger means 7, so put a minus" in says("ink", lambda x: (x > 0).sum((1, 2)))
    assert says("minus", lambda x: -(x > 0).sum((1, 2))) == "It says 7 from -143.5 up. That line was chosen on the training set, where it is right for 0.7027 of the images."
    before = arena.entry("ink").right
    assert capsys.readouterr().out == ""
    assert f"It replaces your earlier entry of this name, which had {before} right" in says("ink", lambda image: -(image > 0).sum())
    assert len(arena.entries) == 19 and arena.entry("ink").right == arena.entry("minus").right == 1439
    assert re.fullmatch("'ink': For 11 images it returned a single number, so it was given one image at a time.*\n", capsys.readouterr().out)
    model = opening_ideas()["mean image, L1"][0].rule
    assert "The other way round it would be better: swap 3 and 7." in says("swapped", lambda images: 10 - model(images))
    said = says("yes", lambda images: images[:, 13, 13] > 0.3)
    assert "if False meant 7" in said and "Here True means 7, so turn it round, with `~(…)` for a tensor or an array, and `not` for a single answer" in said
    assert "other way round" not in says("no", lambda images: ~(images[:, 13, 13] > 0.3)) and arena.entry("no").right > 1800
    known = {image.numpy().tobytes(): label for image, label in zip(arena_digits()[1].images, arena_digits()[1].labels.tolist())}
    assert "has it seen the validation images" in says("cheat", lambda images: [known.get(i.numpy().tobytes(), 3) for i in images])


def test_disagreements_with_the_book(arena, sets):
    "Pictures of exactly those images that the book gets right and the rule does not, and the reverse; none for the book's own rule."
    arena.enter("same", PixelSimilarity())
    assert not plt.get_fignums()
    images, labels = sets[1].images, sets[1].labels
    own, book = (images[:, 9, 11] > 0.5) == (labels == 7), expected("mean image, L1", *sets) == labels
    arena.enter("bar", bar)
    for number, who, where in zip(plt.get_fignums(), ("the book's rule", "this rule"), (book & ~own, own & ~book), strict=True):
        assert plt.figure(number).get_suptitle() == f"Only {who} is right: {where.sum()} images, here are 10"
        assert np.array_equal([ax.images[0].get_array() for ax in plt.gcf().axes], images[where][:10])


def test_shown_in_jupyter(arena, monkeypatch, capsys):
    "There tables and refusals are handed to its display, and the result itself shows nothing more."
    shown = []
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: object(), display=SimpleNamespace(display=shown.append)))
    result = arena.enter("same", opening_ideas()["mean image, L1"][0].rule)  # nothing to draw, which would ask the false IPython for more
    arena.enter("bad", stuck)
    for line in ("| threes | 926 of 1010 | 0.9168 |", "| sevens | 1013 of 1028 | 0.9854 |", "| mean of the two |  | 0.9511 |",
                 "| all images | 1939 of 2038 | 0.9514, 95% interval 0.9412 to 0.9599 |", "Rank 5 of 18."): assert line in shown[0]._repr_markdown_()
    assert shown[1]._repr_markdown_().startswith("✘ **'bad' was not entered:** it stopped")
    assert result._ipython_display_() is None and capsys.readouterr().out == ""


# The board

ENTRIES = st.lists(st.builds(Entry, st.text("abc$", min_size=1, max_size=3), st.sampled_from(["Aman", "Bo"]), st.integers(0, 5), st.integers(0, 5)), max_size=8,
                   unique_by=lambda e: (e.name, e.member))


@given(ENTRIES)
def test_ranks(entries):
    "Best first, equals by name; competition ranks, as SciPy gives them."
    assert [e for _, e in in_order(entries)] == sorted(sorted(entries, key=lambda e: (e.name, e.member)), key=lambda e: e.right, reverse=True)
    ranks = dict(zip(((e.name, e.member) for e in entries), rankdata([-e.right for e in entries], method="min")))
    assert {(e.name, e.member): rank for rank, e in in_order(entries)} == ranks


def test_board_and_plot(arena):
    "Best first; dots at the accuracies, bars over the intervals; a name is text, no Markdown and no mathematics, whatever it contains."
    name = "<b>*x*</b> | [y](z) `w` $1$"
    arena.enter(name, bar, show=False)
    table, ax, ranked = arena.board(reveal=True), arena.plot(), in_order(arena.entries)
    assert [row[:2] for row in table.rows] == [[str(rank), e.name] for rank, e in ranked]
    assert ["5", "mean image, L1", "the book", "0.9168", "0.9854", "0.9511", "0.9514", "0.9412 to 0.9599"] in table.rows
    assert r"| \<b\>\*x\*\</b\> \| \[y\](z) \`w\` \$1\$ | you |" in table._repr_markdown_() and name in repr(table)
    assert [dot.get_xdata()[0] for dot in ax.lines[1::2]] == [e.accuracy for _, e in ranked]
    assert [tuple(line.get_xdata()) for line in ax.lines[::2]] == [e.interval for _, e in ranked]
    texts = [text.get_text() for text in ax.texts]
    assert texts[2::3] == [f"{e.accuracy:.4f}" for _, e in ranked] and r"<b>*x*</b> | [y](z) `w` \$1\$ (you)" in texts and "mean image, L1 (the book)" in texts
    ax.figure.canvas.draw()


def test_the_veil(arena):
    "Names that would give away lesson 3 are hidden in table and plot until asked for, and then never again."
    hidden = {"the most telling pixel", *AVERAGES, "nearest neighbor"}
    arena.enter("mean image, L1", bar, show=False)  # a member's own name is never veiled
    def names(): return {row[1] for row in arena.board().rows if row[2] != "you"}
    for _ in range(2): assert {*IDEAS} - names() == hidden and "• • •" in arena.board().note
    assert ["mean image, L1"] == [row[1] for row in arena.board().rows if row[2] == "you"]
    texts = {text.get_text() for text in arena.plot().texts}
    assert not hidden & texts and "• • • (the book)" in texts
    assert "mean image, L1 (the book)" in {text.get_text() for text in arena.plot(reveal=True).texts}
    assert names() == {*IDEAS} and arena.board().note == "" == Arena().board(reveal=True).note


def colored(ax): return {tuple(p) for p in np.argwhere(np.ptp(ax.images[0].get_array(), axis=-1) > 0.01).tolist()}


def bluer(ax): return np.diff(ax.images[0].get_array()[..., ::2])[..., 0]  # than it is red


def places(masks): return [{tuple(p) for p in np.argwhere(mask).tolist()} for mask in masks]


ROWS, COLUMNS = np.mgrid[:28, :28]
PLACES = {  # where an idea looks, in six images; the others look at something in each
    "ink coverage": lambda images: images > 0, "ink in the bottom third": lambda images: (images > 0) & (ROWS >= 19),
    "the darkest row": lambda images: ROWS == darkest_row(torch.from_numpy(images)).numpy()[:, None, None],
    "enclosed areas": lambda images: [ndimage.binary_fill_holes(image > 0.5) & ~(image > 0.5) for image in images],
    "strokes, middle column": lambda images: [COLUMNS == 14]*6, "the most telling pixel": lambda images: [(ROWS == 13) & (COLUMNS == 13)]*6, "always 7": np.zeros_like}


@pytest.mark.parametrize("name", IDEAS)
def test_pictures_of_the_opening_ideas(name, arena):
    "Six digits, each with marks where the idea looks, in the color of what a measure says; a cross at each mistake."
    axs = arena.picture(name)
    assert len(axs) == 6 and axs[0].figure.get_suptitle() == f"{name}: {opening_ideas()[name][0].what}"
    if name in PLACES: assert [*map(colored, axs)] == places(PLACES[name](example_images().numpy()))
    else: assert all(map(colored, axs))
    if name in AVERAGES or name == "nearest neighbor":  # what is marked adds up to what is said
        idea, some = opening_ideas()[name][0], arena_digits()[1].images[::20]
        assert torch.equal(idea.marks(some).sum((1, 2)) > 0, torch.as_tensor(idea.rule(some)) == 7)
        for ax, marks in zip(axs, idea.marks(example_images()).numpy()): assert (marks[bluer(ax) > 0.01] < 0).all() and (marks[bluer(ax) < -0.01] > 0).all()
    for ax, actual in zip(axs, "333777"):
        digit, cross = re.search(r"→ (\d)( ✗)?$", ax.get_title()).groups()
        assert (digit != actual) == bool(cross) and not (cross and name == "nearest neighbor")  # which knows these very images
        assert name not in MEASURES or (bluer(ax) * (1 if digit == "3" else -1) > -0.01).all()


def test_picture_of_a_rule(arena):
    "Where a full pixel gives a larger number than an empty one: orange here, blue there, nothing elsewhere."
    arena.enter("corner", lambda images: 2*images[:, 10, 4] - images[:, 20, 20], show=False)
    for ax in arena.picture("corner"):
        assert np.argwhere(bluer(ax) < -0.01).tolist() == [[10, 4]] and np.argwhere(bluer(ax) > 0.01).tolist() == [[20, 20]]
    arena.enter("labels", lambda images: torch.where(images[:, 10, 4] > 0.5, 7, 3), show=False)
    assert [*map(colored, arena.picture("labels"))] == [{(10, 4)}]*6
    with pytest.raises(KeyError, match="no rule 'nobody'"): arena.picture("nobody")


def test_whose_entry(tmp_path):
    "Your own comes first; one of that name is found; of several one must say whose."
    both = [Entry("a", "Aman", 1, 0), Entry("a", "Bo", 2, 0), Entry("b", "Bo", 3, 0)]
    board = group(both, tmp_path)
    assert board.entry("b").member == "Bo" and board.entry("a", member="Aman").right == 1 and group(both, tmp_path, "Bo").entry("a").right == 2
    with pytest.raises(KeyError, match="was entered by Aman and Bo: say whose"): board.entry("a")
    with pytest.raises(KeyError, match="no rule 'b' by Aman"): board.entry("b", member="Aman")


# Boards that travel


@settings(max_examples=15)
@given(st.lists(ENTRIES, min_size=1, max_size=3), st.randoms())
def test_merging(tmp_path_factory, boards, random):
    "Every name of every member is there once; if nothing is in conflict, order and repetition do not matter."
    folder, known = tmp_path_factory.mktemp("boards"), {}
    boards = [[e for e in entries if known.setdefault((e.member, e.name), e) == e] for entries in boards]
    merged, again = Arena("Chipo"), Arena("Chipo")
    merged.merge(*[group(entries, folder, "Dara") for entries in boards])
    for entries in random.sample([*boards, *boards], 2 * len(boards)): again.merge(group(entries, folder, "Dara"))
    assert {*merged.entries} == {*again.entries} == {*Arena().entries, *known.values()}


def test_a_group(tmp_path, capsys):
    "Files and arenas; the same name stays apart; what is new, known or in conflict is said, and what was here stays; with a broken file nothing is added."
    def said():
        header, _, *rows = [re.split("  +", row) for row in capsys.readouterr().out.splitlines()]
        assert header == ["from", "new", "already here", "in conflict"]
        return rows
    aman, bo = group([Entry("ink", "Aman", 10, 5)], tmp_path, "Aman"), group([Entry("ink", "Bo", 10, 5), Entry("bar", "Bo", 7, 7)], tmp_path, "Bo")
    board = Arena("Chipo")
    board.merge(aman.save(tmp_path / "aman.json"), bo)
    assert said() == [["aman.json", "1", "0", "0"], ["the board of Bo", "2", "0", "0"]]
    board.merge(group([Entry("ink", "Aman", 11, 5), Entry("bar", "Bo", 7, 7), Entry("new", "Bo", 0, 0)], tmp_path))
    assert said() == [["the board of Chipo", "1", "1", "1"], ["'ink' by Aman has 15 right here and 16 in the board of Chipo: the one here stays."]]
    assert board.entry("ink", "Aman").right == 15
    with pytest.raises(ValueError, match="'ink' by Aman came from a file, which holds results and no code"): board.picture("ink", "Aman")
    (tmp_path / "broken.json").write_text("{}")
    untouched = Arena("Dara")
    with pytest.raises(ValueError, match="broken.json is not a board"): untouched.merge(tmp_path / "aman.json", tmp_path / "broken.json")
    assert untouched.entries == Arena().entries


def test_you_must_say_who_you_are(tmp_path, arena):
    "A board of `you` would mean somebody else to its reader: it is not saved or merged before it has a name. Arenas do not share entries."
    arena.enter("bar", bar, show=False)
    assert repr(Arena()) == "Arena of you: 17 rules on the board, none of them by you" and repr(arena) == "Arena of you: 18 rules on the board, 1 of them by you"
    for share in (lambda: arena.save(tmp_path / "board.json"), lambda: Arena("Bo").merge(arena)):
        with pytest.raises(ValueError, match="say who you are first"): share()
    assert [*tmp_path.iterdir()] == []
    arena.member = " Aman "
    assert (arena.member, arena.entry("bar").member) == ("Aman", "Aman") and len(arena.entries) == 18 and len(arena.picture("bar")) == 6
    loaded = Arena.load(arena.save(tmp_path / "board.json"))
    assert (loaded.member, loaded.entries) == ("Aman", arena.entries)
    arena.merge(group([Entry("bar", "Bo", 1, 1)], tmp_path))
    with pytest.raises(ValueError, match="Bo has an entry 'bar' too"): arena.member = "Bo"
    arena.member = "Aman"  # which it is
    assert arena.member == "Aman"


def test_missing_files(tmp_path):
    "A file that is not there, or a folder, is what Python calls it."
    for fails in (Arena.load, Arena("Aman").merge, Arena("Aman").save):
        with pytest.raises(OSError): fails(tmp_path)
    with pytest.raises(FileNotFoundError): Arena.load(tmp_path / "nothing.json")
    with pytest.raises(OSError): Arena("Aman").save(tmp_path / "no folder" / "board.json")
    assert [*tmp_path.iterdir()] == []
