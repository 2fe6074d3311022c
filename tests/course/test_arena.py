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
from sklearn.dummy import DummyClassifier
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from pixelsim.classifier import PixelSimilarity
from pixelsim.course import Arena
from pixelsim.course.arena_digits import arena_digits
from pixelsim.course.arena_pictures import disagreements, example_images
from pixelsim.course.board_file import board_bytes
from pixelsim.course.entries import Entry, in_order
from pixelsim.course.ideas import darkest_row
from pixelsim.course.opening import opening_ideas


@pytest.fixture
def arena(): return Arena()


@pytest.fixture(scope="module")
def sets():
    "Training and validation set in the arena's order, as NumPy arrays."
    return [SimpleNamespace(images=s.images.numpy(), flat=s.images.numpy().reshape(-1, 784).astype(float), labels=s.labels.numpy()) for s in arena_digits()]


def bar(images): return images[:, 9, 11]


def counts(entry): return entry.right3, entry.right7


def right_counts(said, labels): return tuple(int((said[labels == d] == d).sum()) for d in (3, 7))


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


def enclosed(images): return np.array([ndimage.label(~np.pad(image > 0.5, 1))[1] for image in images])


def turned(axis, relative):
    def measure(x):
        difference = np.abs(x.astype(float) - np.flip(x, axis)).mean((1, 2))
        return difference / x.mean((1, 2), dtype=float) if relative else -difference
    return measure


def crossed(x):
    dark = x > 0.5
    return (np.diff(dark, axis=1, prepend=False) & dark).sum(1)


MEASURES = {
    "ink coverage": lambda x: -(x > 0).sum((1, 2)), "ink in the bottom third": lambda x: -(x[:, 19:] > 0).sum((1, 2)),
    "the darkest row": lambda x: -np.rint(255 * x).sum(2).argmax(1).astype(float),
    "up-down symmetry": turned(1, False), "up-down symmetry / ink": turned(1, True), "left-right symmetry": turned(2, False), "left-right symmetry / ink": turned(2, True),
    "enclosed areas": lambda x: -enclosed(x), "strokes, middle column": lambda x: -crossed(x)[:, 14], "strokes, all columns": lambda x: -crossed(x).sum(1),
    "the most telling pixel": lambda x: -x[:, 13, 13]}


def nearer(far3, far7): return np.where(far7 < far3, 7, 3)


def far(how, valid, train): return [np.abs(valid.flat - how(train.flat[train.labels == d], axis=0)).mean(1) for d in (3, 7)]


COMPARISONS = {
    "mean image, L1": lambda train, valid: nearer(*far(np.mean, valid, train)),
    "mean image, L2": lambda train, valid: NearestCentroid().fit(train.flat, train.labels).predict(valid.flat),
    "median image, L1": lambda train, valid: nearer(*far(np.median, valid, train)),
    "mean image, cosine": lambda train, valid: nearer(*-cosine_similarity(valid.flat, [train.flat[train.labels == d].mean(0) for d in (3, 7)]).T),
    "nearest neighbor": lambda train, valid: KNeighborsClassifier(1, algorithm="brute").fit(train.flat, train.labels).predict(valid.flat),
    "always 7": lambda train, valid: DummyClassifier(strategy="most_frequent").fit(train.flat, train.labels).predict(valid.flat)}
IDEAS = [*MEASURES, *COMPARISONS]


@pytest.mark.parametrize("name", IDEAS)
@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")
def test_opening_idea(name, arena, sets):
    "Threes and sevens that each idea gets right, against NumPy, SciPy or scikit-learn."
    train, valid = sets
    said = COMPARISONS[name](*sets) if name in COMPARISONS else by_line(MEASURES[name](train.images), train.labels, MEASURES[name](valid.images))
    assert counts(arena.entry(name)) == right_counts(said, valid.labels)


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")
def test_published_figures(arena, sets):
    "All ideas are tested; the book's three figures and 0.9514; L2's 0.9661; lesson 1's ink; scikit-learn's nearest centroid under Manhattan."
    assert sorted(e.name for e in arena.entries) == sorted(IDEAS)
    l1, l2, median = (arena.entry(f"{name} image, {d}") for name, d in (("mean", "L1"), ("mean", "L2"), ("median", "L1")))
    assert [f"{x:.4f}" for x in (l1.threes, l1.sevens, l1.mean, l1.accuracy, l2.mean)] == ["0.9168", "0.9854", "0.9511", "0.9514", "0.9661"]
    assert counts(arena.entry("ink coverage")) == (722, 717)
    assert [f"{arena.entry(name).accuracy:.4f}" for name in ("ink in the bottom third", "the most telling pixel")] == ["0.8238", "0.9230"]
    train, valid = sets
    manhattan = NearestCentroid(metric="manhattan").fit(train.flat, train.labels).predict(valid.flat)
    assert counts(median) == right_counts(manhattan, valid.labels) and f"{median.accuracy:.4f}" == "0.9558"


def test_the_directions_come_from_the_training_set():
    "No opening measure would do better on the training set the other way round, and each is of the way that its rule says."
    for idea, verdict in opening_ideas().values():
        if idea.sign: assert verdict.train_right > verdict.reverse_right, idea.name
        assert bool(idea.sign) == (verdict.line is not None), idea.name


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


@pytest.mark.parametrize("rule, why, error", [(stuck, "it stopped with IndexError in line", IndexError), (torch.zeros(3), "it is of type Tensor", type(None)),
                                              (lambda images: ..., "is not entered yet: replace the three dots with your rule", type(None))])
@pytest.mark.parametrize("show", [True, False])
def test_a_refusal_is_a_reply_and_the_board_stays(rule, why, error, show, arena, capsys):
    "One line says what is wrong, a program can ask, and whoever wants to see it all finds the error; an older entry of the name stays."
    assert arena.enter("bad", bar, show=False)
    before = repr(arena.board()), arena.entries
    result = arena.enter("bad", rule, show=show)
    assert (bool(result), result.entered, result.entry, repr(result)) == (False, False, None, "Result(entered=False)")
    assert result.says.startswith("'bad' ") and why in result.says and type(result.error) is error
    assert capsys.readouterr().out.strip() in (result.says, f"✘ {result.says}") and not plt.get_fignums()
    assert (repr(arena.board()), arena.entries) == before and len(arena.picture("bad")) == 6


def test_an_interrupt_leaves_the_board_as_it_was(arena):
    def impatient(images): raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt): arena.enter("slow", impatient)
    assert len(arena.entries) == 17


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "tab\tbed", "x"*41, "\ud800", "\u202eright to left", 7, None, bar])
def test_bad_names(name, arena):
    "A name is a short line that can be seen; so is a member's, and nobody is the book."
    why = "1 to 40 characters|should be a text in quotes"
    assert re.search(f"^The rule was not entered: the name .*({why})", arena.enter(name, bar).says) and len(arena.entries) == 17
    with pytest.raises(ValueError, match=why): Arena(name)
    with pytest.raises(ValueError, match=why): arena.member = name
    for member in ("opening", " the book "):
        with pytest.raises(ValueError, match=f"the member cannot be '{member.strip()}': that name is taken"): Arena(member)


def test_report(arena, capsys):
    "Counts, accuracies, interval and rank of the ink, as lesson 1 has them."
    result = arena.enter("ink", lambda images: -(images > 0).sum((1, 2)))
    text = capsys.readouterr().out
    for part in (r"threes +722 of 1010 +0\.7149", r"sevens +717 of 1028 +0\.6975", r"mean of the two +0\.7062",
                 r"all images +1439 of 2038 +0\.7061, 95% interval 0\.6859 to 0\.7255", r"Rank 11 of 18\."):
        assert re.search(part, text), part
    assert result and result.says in text and result.entry == arena.entry("ink")
    assert re.fullmatch(r"It says 7 from -143\.5 up\. That line was chosen on the training set, where it is right for 0\.7027 of the images\.", result.says)


def test_remarks(arena, capsys):
    "The wrong way round, labels swapped, one image at a time, a second try, and not one mistake: each is said, once."
    says = arena.enter("ink", lambda images: (images > 0).sum((1, 2)), show=False).says
    assert "if small numbers meant 7, it would be right for 0.7027 of the training images. Here larger means 7, so put a minus" in says
    before = arena.entry("ink").right
    assert capsys.readouterr().out == ""
    says = arena.enter("ink", lambda image: -(image > 0).sum(), show=False).says
    assert f"It replaces your earlier entry of this name, which had {before} right" in says and len(arena.entries) == 18
    assert re.fullmatch("'ink': For 11 images it returned a single number, so it was given one image at a time.*\n", capsys.readouterr().out)
    model = opening_ideas()["mean image, L1"][0].rule
    assert "The other way round it would be better: swap 3 and 7." in arena.enter("swapped", lambda images: 10 - model(images), show=False).says
    for yes in (lambda images: images[:, 13, 13] > 0.3, lambda image: bool(image[13, 13] > 0.3)):
        says = arena.enter("yes", yes, show=False).says
        assert "if False meant 7" in says and "Here True means 7, so turn it round, with `~(…)` for a tensor or an array, and `not` for a single answer" in says
    turned = arena.enter("no", lambda images: ~(images[:, 13, 13] > 0.3), show=False)
    assert "other way round" not in turned.says and turned.entry.right > 1800
    known = {image.numpy().tobytes(): label for image, label in zip(arena_digits()[1].images, arena_digits()[1].labels.tolist())}
    assert "has it seen the validation images" in arena.enter("cheat", lambda images: [known.get(i.numpy().tobytes(), 3) for i in images], show=False).says


def test_disagreements_with_the_book(arena, sets):
    "Pictures of exactly those images that the book gets right and the rule does not, and the reverse; none for the book's own rule."
    train, valid = sets
    arena.enter("same", PixelSimilarity(), show=True)
    assert not plt.get_fignums()
    arena.enter("bar", bar)
    own = by_line(bar(train.images), train.labels, bar(valid.images)) == valid.labels
    book = COMPARISONS["mean image, L1"](train, valid) == valid.labels
    said = [torch.where(torch.from_numpy(right), arena_digits()[1].labels, 0) for right in (book, own)]
    assert [where.tolist() for where in disagreements(*said)] == [np.flatnonzero(book & ~own).tolist(), np.flatnonzero(own & ~book).tolist()]
    figures = [plt.figure(n) for n in plt.get_fignums()]
    assert [f.get_suptitle() for f in figures] == [f"Only the book's rule is right: {(book & ~own).sum()} images, here are 10",
                                                   f"Only this rule is right: {(own & ~book).sum()} images, here are 10"]
    shown = figures[0].axes[0].images[0].get_array()
    assert np.array_equal(shown, valid.images[np.flatnonzero(book & ~own)[0]])


def test_shown_in_jupyter(arena, monkeypatch, capsys):
    "There tables and refusals are handed to its display, and the result itself shows nothing more."
    shown = []
    fake = SimpleNamespace(get_ipython=lambda: object(), display=SimpleNamespace(display=shown.append))
    monkeypatch.setitem(sys.modules, "IPython", fake)
    result = arena.enter("bar", bar)
    arena.enter("bad", stuck)
    assert "| threes |" in shown[0]._repr_markdown_() and shown[1]._repr_markdown_().startswith("✘ **'bad' was not entered:** it stopped")
    assert result._ipython_display_() is None and capsys.readouterr().out == ""


# The board

ENTRIES = st.lists(st.builds(Entry, st.text("abc$", min_size=1, max_size=3), st.sampled_from(["Aman", "Bo"]), st.integers(0, 5), st.integers(0, 5)), max_size=8,
                   unique_by=lambda e: (e.name, e.member))


@given(ENTRIES)
def test_ranks(entries):
    "Competition ranks, as SciPy gives them."
    ranked = in_order(entries)
    assert [rank for rank, _ in ranked] == sorted(rankdata([-e.right for e in entries], method="min"))
    assert all(rank == 1 + sum(o.right > e.right for o in entries) for rank, e in ranked) and {e for _, e in ranked} == {*entries}


def test_board(arena):
    "Best first, equals by name, and every cell follows from the counts."
    for name in ("b", "a"): arena.enter(name, bar, show=False)
    rows = arena.board(reveal=True).rows
    assert [int(row[0]) for row in rows] == [rank for rank, _ in in_order(arena.entries)] and len(rows) == 19
    for rank, name, member, *figures in rows:
        entry = arena.entry(name, member)
        low, high = binomtest(entry.right, 2038).proportion_ci(method="wilson")
        assert figures == [f"{entry.right3/1010:.4f}", f"{entry.right7/1028:.4f}", f"{(entry.right3/1010 + entry.right7/1028)/2:.4f}",
                           f"{entry.right/2038:.4f}", f"{low:.4f} to {high:.4f}"]
    assert [row[1] for row in rows if row[2] == "you"] == ["a", "b"]


def test_the_veil(arena):
    "Names that would give away lesson 3 are hidden in table and plot until asked for, and then never again."
    hidden = {"the most telling pixel", "mean image, L1", "mean image, L2", "median image, L1", "mean image, cosine", "nearest neighbor"}
    arena.enter("mean image, L1", bar, show=False)  # a member's own name is never veiled
    for _ in range(2):
        board = arena.board()
        assert {*IDEAS} - {row[1] for row in board.rows if row[2] != "you"} == hidden and "• • •" in board.note
    assert ["mean image, L1"] == [row[1] for row in board.rows if row[2] == "you"]
    texts = {text.get_text() for text in arena.plot().texts}
    assert not hidden & texts and "• • • (the book)" in texts
    assert "mean image, L1 (the book)" in {text.get_text() for text in arena.plot(reveal=True).texts}
    assert hidden <= {row[1] for row in arena.board().rows} and arena.board().note == ""
    assert Arena().board(reveal=True).note == ""


def test_names_are_text_in_markdown(arena):
    "Whatever a name from a file contains, a table shows it as it is."
    arena.enter("<b>*x*</b> | [y](z) `w` $1$", bar, show=False)
    line = next(line for line in arena.board()._repr_markdown_().splitlines() if "you" in line)
    assert r"\<b\>\*x\*\</b\> \| \[y\](z) \`w\` \$1\$" in line
    assert "<b>*x*</b> | [y](z) `w` $1$" in repr(arena.board())


def test_plot(arena):
    "Dots at the accuracies, bars over the intervals, names and figures beside them; a dollar is no mathematics."
    arena.enter("half $a$, half $b$", bar, show=False)
    ax = arena.plot(reveal=True)
    entries = [e for _, e in in_order(arena.entries)]
    assert [dot.get_xdata()[0] for dot in ax.lines[1::2]] == [e.accuracy for e in entries]
    assert [tuple(bar.get_xdata()) for bar in ax.lines[::2]] == [e.interval for e in entries]
    assert [text.get_text() for text in ax.texts][2::3] == [f"{e.accuracy:.4f}" for e in entries]
    assert r"half \$a\$, half \$b\$ (you)" in [text.get_text() for text in ax.texts]
    ax.figure.canvas.draw()


def colored(ax): return {tuple(p) for p in np.argwhere(np.ptp(ax.images[0].get_array(), axis=-1) > 0.01).tolist()}


PLACES = {
    "ink coverage": lambda images: [{tuple(p) for p in image.nonzero().tolist()} for image in images],
    "ink in the bottom third": lambda images: [{tuple(p) for p in image.nonzero().tolist() if p[0] >= 19} for image in images],
    "the darkest row": lambda images: [{(row, c) for c in range(28)} for row in darkest_row(images).tolist()],
    "enclosed areas": lambda images: [{tuple(p) for p in np.argwhere(ndimage.binary_fill_holes(i > 0.5) & ~(i.numpy() > 0.5)).tolist()} for i in images],
    "strokes, middle column": lambda images: [{(row, 14) for row in range(28)}]*6,
    "the most telling pixel": lambda images: [{(13, 13)}]*6,
    "always 7": lambda images: [set()]*6,
}


@pytest.mark.parametrize("name", IDEAS)
def test_pictures_of_the_opening_ideas(name, arena):
    "Six digits, each with marks in color where the idea looks; a cross at each mistake."
    axs = arena.picture(name)
    assert len(axs) == 6 and axs[0].figure.get_suptitle().startswith(f"{name}: ")
    places = [colored(ax) for ax in axs]
    if name in PLACES: assert places == PLACES[name](example_images())
    else: assert all(places)
    says = [re.search(r"→ (\d)( ✗)?$", ax.get_title()).groups() for ax in axs]
    assert all((digit != actual) == bool(cross) for (digit, cross), actual in zip(says, "333777"))


def test_picture_of_a_rule(arena):
    "Where a full pixel gives a larger number than an empty one: orange here, blue there, nothing elsewhere."
    arena.enter("corner", lambda images: 2*images[:, 10, 4] - images[:, 20, 20], show=False)
    for ax in arena.picture("corner"):
        picture = ax.images[0].get_array()
        red, blue = picture[..., 0] - picture[..., 2], picture[..., 2] - picture[..., 0]
        assert np.argwhere(red > 0.01).tolist() == [[10, 4]] and np.argwhere(blue > 0.01).tolist() == [[20, 20]]
    arena.enter("labels", lambda images: torch.where(images[:, 10, 4] > 0.5, 7, 3), show=False)
    assert [colored(ax) for ax in arena.picture("labels")] == [{(10, 4)}]*6
    with pytest.raises(KeyError, match="no rule 'nobody'"): arena.picture("nobody")


def test_whose_entry(tmp_path):
    "Your own comes first; one of that name is found; of several one must say whose."
    both = [Entry("a", "Aman", 1, 0), Entry("a", "Bo", 2, 0), Entry("b", "Bo", 3, 0)]
    board = group(both, tmp_path)
    assert board.entry("b").member == "Bo" and board.entry("a", member="Aman").right == 1
    with pytest.raises(KeyError, match="was entered by Aman and Bo: say whose"): board.entry("a")
    with pytest.raises(KeyError, match="no rule 'b' by Aman"): board.entry("b", member="Aman")
    assert group(both, tmp_path, "Bo").entry("a").right == 2


# Boards that travel

@settings(max_examples=15)
@given(st.lists(ENTRIES, min_size=1, max_size=3), st.randoms())
def test_merging(tmp_path_factory, boards, random):
    "Every name of every member is there once; if nothing is in conflict, order and repetition do not matter."
    folder, known = tmp_path_factory.mktemp("boards"), {}
    boards = [[e for e in entries if known.setdefault((e.member, e.name), e) == e] for entries in boards]
    merged, again = Arena("Chipo"), Arena("Chipo")
    merged.merge(*[group(entries, folder, "Dara") for entries in boards])
    shuffled = [*boards, *boards]
    random.shuffle(shuffled)
    for entries in shuffled: again.merge(group(entries, folder, "Dara"))
    assert {*merged.entries} == {*again.entries} == {*Arena().entries, *known.values()}


def test_a_group(tmp_path, capsys):
    "Files and arenas; the same name stays apart; what is new, known or in conflict is said, and what was here stays."
    aman, bo = group([Entry("ink", "Aman", 10, 5)], tmp_path, "Aman"), group([Entry("ink", "Bo", 10, 5), Entry("bar", "Bo", 7, 7)], tmp_path, "Bo")
    board = Arena("Chipo")
    board.merge(aman.save(tmp_path / "aman.json"), bo)
    header, _, *rows = capsys.readouterr().out.splitlines()
    assert re.split("  +", header) == ["from", "new", "already here", "in conflict"]
    assert [re.split("  +", row) for row in rows] == [["aman.json", "1", "0", "0"], ["the board of Bo", "2", "0", "0"]]
    board.merge(group([Entry("ink", "Aman", 11, 5), Entry("bar", "Bo", 7, 7), Entry("new", "Bo", 0, 0)], tmp_path))
    row, note = capsys.readouterr().out.splitlines()[2:]
    assert re.split("  +", row) == ["the board of Chipo", "1", "1", "1"]
    assert note == "'ink' by Aman has 15 right here and 16 in the board of Chipo: the one here stays." and board.entry("ink", "Aman").right == 15
    with pytest.raises(ValueError, match="'ink' by Aman came from a file, which holds results and no code"): board.picture("ink", "Aman")


def test_a_merge_with_a_broken_file_adds_nothing(tmp_path):
    group([Entry("good", "Bo", 1, 1)], tmp_path)
    (tmp_path / "broken.json").write_text("{}")
    board = Arena("Aman")
    with pytest.raises(ValueError, match="broken.json is not a board"): board.merge(tmp_path / "group.json", tmp_path / "broken.json")
    assert board.entries == Arena().entries


def test_you_must_say_who_you_are(tmp_path, arena):
    "A board of `you` would mean somebody else to its reader: it is not saved or merged before it has a name."
    arena.enter("bar", bar, show=False)
    for share in (lambda: arena.save(tmp_path / "board.json"), lambda: Arena("Bo").merge(arena)):
        with pytest.raises(ValueError, match="say who you are first"): share()
    assert [*tmp_path.iterdir()] == []
    arena.member = " Aman "
    assert (arena.member, arena.entry("bar").member) == ("Aman", "Aman") and len(arena.entries) == 18 and len(arena.picture("bar")) == 6
    loaded = Arena.load(arena.save(tmp_path / "board.json"))
    assert (loaded.member, loaded.entries) == ("Aman", arena.entries)
    arena.merge(group([Entry("bar", "Bo", 1, 1)], tmp_path))
    with pytest.raises(ValueError, match="Bo has an entry 'bar' too"): arena.member = "Bo"
    assert arena.member == "Aman"


def test_missing_files(tmp_path):
    "A file that is not there, or a folder, is what Python calls it."
    with pytest.raises(FileNotFoundError): Arena.load(tmp_path / "nothing.json")
    for fails in (Arena("Aman").merge, lambda path: Arena("Aman").save(path / "no folder" / "board.json")):
        with pytest.raises(OSError): fails(tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_arenas_do_not_share_entries():
    "The opening ideas are worked out once, but each arena has its own board."
    one, two = Arena(), Arena()
    one.enter("bar", bar, show=False)
    assert len(two.entries) == 17 and repr(two) == "Arena of you: 17 rules on the board, none of them by you"
    assert repr(one) == "Arena of you: 18 rules on the board, 1 of them by you"
