"""The site: built as `make docs` builds it, then read as files, and opened in Chromium with the network cut off."""
import gzip
import importlib
import json
import re
import subprocess
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import do
import docs
import nbformat
import pages as page_tool
import pytest
import torch
from conftest import REPOSITORY, served, violations
from IPython.core.inputtransformer2 import TransformerManager

from pixelsim.course import exercises, predictions, questions
from pixelsim.course.figure import OURS, as_address, our_sprite, sprite
from pixelsim.course.lessons import lesson_paths, lessons, notebook_paths

ROOT = Path(__file__).parents[2]
PAGES = sorted([*notebook_paths(), "CHANGELOG", "CONTRIBUTING", "pixelsim/data/NOTICE", "reference", "search"])
every_page = pytest.mark.parametrize("name", PAGES)
every_lesson = pytest.mark.parametrize("name", lesson_paths())
PHONE = {"width": 360, "height": 740}


class Elements(HTMLParser):
    "The elements of a page as (tag, attributes), and the text outside of scripts."
    def __init__(self, text):
        super().__init__()
        self.found, self.text, self.silent = [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.silent += tag in ("script", "style")

    def handle_endtag(self, tag): self.silent -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.silent: self.text.append(data)


@cache
def elements(path): return Elements(path.read_text(encoding="utf-8"))


def ids(path): return {attrs[key] for _, attrs in elements(path).found for key in ("id", "name") if key in attrs}


# What is in the folder


def test_these_are_all_pages(site):
    assert sorted(p.relative_to(site).with_suffix("").as_posix() for p in site.rglob("*.html") if "_static" not in p.parts) == PAGES


@every_page
def test_links_lead_somewhere(name, site):
    "Every address inside the site is that of a file in it, and every anchor stands on its page."
    page = site / f"{name}.html"
    count = 0
    for tag, attrs in elements(page).found:
        for key in ("href", "src", "data-src"):
            if (address := attrs.get(key)) is None or (parts := urlsplit(address)).scheme in ("http", "https", "data"): continue
            assert not parts.scheme and not parts.netloc, f"a strange address: {address}"
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if target.is_dir(): target /= "index.html"
            assert target.is_file(), f"{name} links to {address}, which is not there"
            if parts.fragment and tag == "a" and target.suffix == ".html":
                assert unquote(parts.fragment) in ids(target) | {"", "top"}, f"{name}: there is no place {address}"
            count += 1
    assert count > 10


TERM = re.compile(r'<a class="[^"]*\bterm\b[^"]*" href="glossary\.html#([^"]+)">([^<]+)</a>')


@every_lesson
def test_the_first_use_of_a_term_leads_to_the_glossary(name, site):
    "Each term once, where it first stands in a paragraph, and never in code, headings, tables or quizzes. Where it leads is there: see above."
    text = (site / f"{name}.html").read_text(encoding="utf-8")
    links = TERM.findall(text)
    assert len(links) >= 8 and len({target for target, _ in links}) == len(links)
    assert TERM.findall(re.sub(r"<(pre|code|h[1-6]|table)\b.*?</\1>", "", text, flags=re.S)) == links


@every_page
def test_nothing_comes_from_another_host(name, site):
    "Pictures, scripts, styles and fonts are all in the folder; only links for people lead away."
    for tag, attrs in elements(site / f"{name}.html").found:
        if tag == "a" or attrs.get("rel") == "canonical": continue
        for key in ("src", "href", "srcset", "data", "action", "poster"):
            assert not re.match(r"(https?:)?//", attrs.get(key) or ""), f"<{tag}> loads {attrs[key]}"


def test_no_style_loads_from_another_host(site):
    styles = list(site.rglob("*.css"))
    assert len(styles) > 3
    for path in styles: assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", path.read_text(encoding="utf-8")), path.name


@every_page
def test_every_picture_says_what_is_to_be_seen(name, site):
    "Sphinx would take the name of the file."
    for tag, attrs in elements(site / f"{name}.html").found:
        if tag == "img": assert len((attrs.get("alt") or "").split()) >= 3 and "_images/" not in attrs["alt"], attrs


def test_only_pages_are_published(site):
    "Neither Sphinx's notes nor the sources of the pages; but the notebooks to take away, and what keeps GitHub from leaving _static out."
    assert not [path for path in site.rglob("*") if path.suffix in (".doctree", ".pickle", ".md")]
    assert {path.parent.name for path in site.rglob("*.ipynb")} == {"notebooks", "group"} and (site / ".nojekyll").exists()


@every_page
def test_nothing_is_left_unconverted(name, site):
    "Neither nbdev's nor Quarto's nor MyST's marks are to be seen."
    text = "".join(elements(site / f"{name}.html").text)
    assert not re.search(r"^\s*#\|.*|^\s*:::.*|\{target=|^\s*\([\w-]+\)=$|\{toctree\}|<!-- \w+ -->|__main__\.\w", text, flags=re.M)


@every_lesson
def test_exercises_have_hints_and_solution(name, site):
    "As many as the lesson's file has, folded away; and the quiz and the lines to put in order are on the page."
    text = (site / f"{name}.html").read_text(encoding="utf-8")
    wanted = len(exercises(name))
    assert text.count("<summary>Solution</summary>") == text.count("<summary>Hints</summary>") == wanted
    assert all(f'"{name}/{question["name"]}"' in text for question in questions(name)) and text.count('data-widget="order"') == 1


@every_lesson
def test_every_prediction_on_the_page_can_be_made(name, open_page):
    "What answers it is folded, and unfolds as far as the next one; what only guards stays folded; at the end stands how many were right, also when one comes back."
    page = open_page(name, "light")
    page.evaluate("localStorage.clear()")
    page.reload()
    folds = "(each) => each.matches('.tag_hide-output details, details.after') && !each.open"
    places = page.locator(".pixelsim-widget[data-once]")
    page.wait_for_function("[...document.querySelectorAll('.pixelsim-widget')].every((place) => 'model' in place)")
    asked = predictions(name)
    closed = [page.evaluate(f"[...document.querySelectorAll('details')].filter({folds}).length")]
    for i in range(places.count()):
        for form in places.nth(i).locator("form").all():
            if form.get_by_role("radio").count(): form.get_by_role("radio").first.check()
            else: form.get_by_role("textbox").fill("(1, 2, 3, 4, 5)" if form.get_by_label("Shape").count() else "-12345")
            form.get_by_role("button", name="Predict").click()
            assert re.match("Right|Not this", form.locator(".psq-feedback").inner_text())
        closed.append(page.evaluate(f"[...document.querySelectorAll('details')].filter({folds}).length"))
    assert sorted(closed, reverse=True) == closed and len({*closed}) >= len(closed) - 1 and closed[-1] == 0, closed  # one may be answered by the next section
    assert page.locator(".tag_hide-input details:not([open])").count() > 0
    right = sum(entry["kind"] == "choice" and bool(entry["choice"][0].get("right")) for entry in asked)
    for again in (False, True):
        if again: page.reload()
        page.get_by_text(f"of the lesson's {len(asked)} predictions, you made {right} right").wait_for()
    page.evaluate("localStorage.clear()")


def test_the_sidebar_leads_through_the_lessons(site):
    "Week by week in their order, and to the sheets; each lesson is called as it calls itself, up to a colon."
    def labels(page, start):
        sidebar = (site / page).read_text(encoding="utf-8").split('class="sidebar-tree">')[1].split("</div>")[0]
        return re.findall(rf'<a class="[^"]*" href="{start}\d[^"]*">(.*?)</a>', sidebar)
    titles = [(about.number, about.title.split(": ")[0]) for about in lessons()]
    assert labels("start.html", "") == [f"{f'Week {number}' if number else 'Between'}: {title}" for number, title in titles]
    assert labels("group/timetables.html", "sheet_") == [f"Sheet{f' {number}' if number else ''}: {title}" for number, title in titles]


def test_reference_has_every_public_name(site):
    "Each name that a module lists is there and leads to its documentation."
    links = [attrs["href"] for tag, attrs in elements(site / "reference.html").found if tag == "a" and "href" in attrs]
    modules = ["/".join(p.relative_to(ROOT / "pixelsim").with_suffix("").parts) for p in (ROOT / "pixelsim").rglob("[a-z]*.py") if p.stem != "all"]
    names = [(name, module) for module in modules for name in importlib.import_module(f"pixelsim.{module.replace('/', '.')}").__all__]
    assert len(names) > 60
    for name, module in names:
        label = page_tool.label_of(name, module).replace("_", "-").strip("-")
        assert any(link.endswith("#" + label) for link in links), name


# What is refused


def notebook(tmp_path, monkeypatch, *cells):
    "A notebook of its own in a folder that stands for nbs."
    monkeypatch.setattr(page_tool, "NBS", tmp_path)
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title\n\n> A promise.")] + list(cells))
    nb.metadata.kernelspec = {"name": "python3", "language": "python", "display_name": "python3"}
    nbformat.write(nb, tmp_path / "page.ipynb")
    return tmp_path / "page.ipynb"


def test_a_page_that_sphinx_leaves_out_is_missed(tmp_path, monkeypatch):
    "Where it ends with status 0 all the same, it is asked once more, in one process, which says why; and there is no site."
    asked = []
    monkeypatch.setattr(docs, "lay_out", lambda source, repo: ["a", "b"])
    def call(command):
        asked.append(command[command.index("-j") + 1])
        (tmp_path / "site" / "html").mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / "html" / "a.html").touch()
        return 0
    monkeypatch.setattr(docs.subprocess, "call", call)
    with pytest.raises(docs.PageError, match="Sphinx has complaints"): docs.build(REPOSITORY, tmp_path / "site")
    assert asked == ["2", "1"]


def code(source, *outputs): return nbformat.v4.new_code_cell(source, outputs=list(outputs))


def picture(): return nbformat.v4.new_output("display_data", {"image/png": as_address(sprite(torch.zeros(1, 28, 28, dtype=torch.uint8)), "image/png").split(",")[1]})


@pytest.mark.parametrize("cell, says", [
    (nbformat.v4.new_markdown_cell("::: {.callout}\nQuarto's\n:::"), "not converted: '::: {.callout}'"),
    (nbformat.v4.new_markdown_cell("See [this](x.html){target=_blank}."), "not converted"),
    (code("x = 1\n#| echo: false"), "not converted: '#| echo: false'"),
    (code("#| layout-ncol: 2\nx = 1"), "no directive layout-ncol: 2"),
    (code("#| echo: perhaps\nx = 1"), "no directive echo: perhaps"),
    (code("#| code-fold: true\nx = 1"), "no directive code-fold: true"),
    (code("show()", nbformat.v4.new_output("execute_result", {"text/markdown": "::: {.note}\nQuarto's\n:::"})), "not converted: '::: {.note}'"),
    (code("plot()", picture()), "say what is to be seen"),
    (code("#| fig-alt:\nplot()", picture()), "say what is to be seen"),
    (code("#| export\ndef f(): pass"), "f has no docstring"),
])
def test_what_cannot_be_converted_fails_the_build(cell, says, tmp_path, monkeypatch):
    with pytest.raises(page_tool.PageError, match=re.escape(says)) as raised:
        page_tool.Page(notebook(tmp_path, monkeypatch, cell))
    assert str(raised.value).startswith("page: ")


def test_a_page_needs_a_promise(tmp_path, monkeypatch):
    path = notebook(tmp_path, monkeypatch)
    nb = nbformat.read(path, as_version=4)
    nb.cells[0].source = "# Title"
    nbformat.write(nb, path)
    with pytest.raises(page_tool.PageError, match="page: a promise is missing"): page_tool.Page(path)


def test_directives_are_honored(tmp_path, monkeypatch):
    "Hidden cells are gone, echo: false hides the code, fig-alt becomes the picture's text, and marks in code blocks stay."
    page = page_tool.Page(notebook(tmp_path, monkeypatch, code("#| hide\nsecret = 1"), code("#| echo: False\nprint(2)"),
                                   code("#| output: false\nprint(3)"), code("#| fig-alt: A line that rises.\nplot()", picture()),
                                   nbformat.v4.new_markdown_cell("```\n::: as code\n```")))
    title, silent, mute, plotted, block = page.nb.cells
    assert mute.metadata.tags == ["remove-output"]
    assert title.source == "# Title\n\n> A promise."
    assert silent.source == "print(2)" and silent.metadata.tags == ["remove-input"]
    assert plotted.source == "plot()" and plotted.metadata.mystnb == {"image": {"alt": "A line that rises."}}
    assert block.source == "```\n::: as code\n```"


def test_names_and_files_are_linked():
    "nbdev's links to names become links to labels; links out of the folder of notebooks become pages."
    assert page_tool.links("[`l1_distance`](/distances.html#l1_distance)") == "[`l1_distance`](#function-l1_distance)"
    assert page_tool.links("[`Table`](/library/show.html#table)") == "[`Table`](#class-table)"
    assert page_tool.links("[`progress`](/course/progress_file.html#progress)") == "[`progress`](#course-function-progress)"
    assert page_tool.links("[how](../CONTRIBUTING.md), [lesson](../03_means.ipynb)") == "[how](/CONTRIBUTING.md), [lesson](../03_means.ipynb)"


# Launch links


def in_repository():
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(files.stdout.split("\n"))


LAUNCHED = [p.relative_to(docs.NBS).with_suffix("").as_posix() for p in docs.to_launch()]


@pytest.mark.parametrize("name", LAUNCHED)
def test_launch_links_lead_to_files_that_exist(name, site):
    "Each stands on the page; the branch gh-pages is the built site, and main the repository."
    stored = in_repository()
    hrefs = {attrs.get("href") for tag, attrs in elements(site / f"{name}.html").found if tag == "a"}
    links = dict(docs.launch_links(name, REPOSITORY))
    assert list(links) == ["Download", "Colab", "Binder", "Codespaces"]
    assert hrefs >= {"../" * name.count("/") + links["Download"], *list(links.values())[1:]}
    assert (site / links["Download"]).is_file()
    assert (site / re.fullmatch(rf".*/github/{REPOSITORY}/blob/gh-pages/(.+)", links["Colab"])[1]).is_file()
    assert re.fullmatch(rf".*/gh/{REPOSITORY}/main\?urlpath=lab/tree/(.+)", links["Binder"])[1] in stored
    assert stored >= {".binder/requirements.txt", ".binder/runtime.txt", ".devcontainer/devcontainer.json"}


@pytest.mark.parametrize("name", LAUNCHED)
def test_the_lesson_to_take_away_is_the_lesson(name, site):
    "The same cells, but for what answers a prediction, after one that installs pixelsim from the repository, where links lead; without a repository, the same altogether."
    stored = nbformat.read(docs.NBS / f"{name}.ipynb", as_version=4)
    taken = nbformat.read(site / "notebooks" / f"{name}.ipynb", as_version=4)
    for cell in stored.cells:
        if cell.metadata.get("jupyter", {}).get("outputs_hidden"): cell.update(outputs=[], execution_count=None)
    for own, cell in zip(stored.cells, taken.cells[1:], strict=True):
        links = re.findall(r"(?<=\]\()[^)#]\S*?(?=\))", cell.source) if cell.cell_type == "markdown" else []
        assert all(link.startswith("http") for link in links)
        for link in links:
            if link.startswith(start := f"https://github.com/{REPOSITORY}/blob/main/"): assert (ROOT / link.removeprefix(start).split("#")[0]).exists(), link
        assert own == cell or links and re.sub(r"\]\(\S*?\)", "]", own.source) == re.sub(r"\]\(\S*?\)", "]", cell.source)
    assert f"git+https://github.com/{REPOSITORY}" in taken.cells[0].source
    compile(TransformerManager().transform_cell(taken.cells[0].source), "cell", "exec")  # as IPython reads it
    assert docs.to_run_anywhere(docs.NBS / f"{name}.ipynb", None) == stored


def test_binder_and_codespaces_use_what_the_project_has():
    "Binder installs the course from the clone; a codespace starts with a task."
    assert (ROOT / ".binder/requirements.txt").read_text().splitlines()[-1] == ".[lab]"
    command = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())["postCreateCommand"]
    assert command.removeprefix("python3 tools/do.py ") in do.TASKS


@pytest.mark.parametrize("origin, name", [("https://github.com/a/b.git", "a/b"), ("git@github.com:a/b-c.git", "a/b-c"),
                                          ("https://github.com/a/b", "a/b"), ("https://me@github.com/a/b", "a/b"), ("https://example.org/a/b.git", None), ("", None)])
def test_the_repository_is_that_of_origin(origin, name, monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, origin + "\n"))
    assert docs.repository() == name
    assert [text for text, _ in docs.launch_links("03_means", name)] == ["Download"] + ["Colab", "Binder", "Codespaces"] * bool(name)


def test_without_git_there_is_no_repository(monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    monkeypatch.setenv("PATH", "")
    assert docs.repository() is None
    monkeypatch.setenv("GITHUB_REPOSITORY", "a/b")
    assert docs.repository() == "a/b"
    monkeypatch.setattr(docs, "get_config", lambda: SimpleNamespace(git_url="https://github.com/group/pixelsim"))
    assert docs.repository() == "group/pixelsim"  # where pyproject.toml says it, nothing else counts


# In a browser


@pytest.fixture(scope="session")
def address(site):
    "Where a server on this machine shows the site."
    with served(site) as where: yield where


@pytest.fixture(scope="session")
def contexts(browser):
    "Windows of the browser: wide and light, wide and dark, and a phone."
    made = {"light": browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light"),
            "dark": browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="dark"),
            "phone": browser.new_context(viewport=PHONE, color_scheme="light", device_scale_factor=2)}
    yield made
    for context in made.values(): context.close()


@pytest.fixture
def open_page(contexts, address):
    "Opens a page with everything that is not on this machine's server cut off; afterwards nothing may have gone wrong."
    troubles, opened = [], []

    def only_here(route):
        if route.request.url.startswith((address, "data:", "blob:")): return route.continue_()
        troubles.append(f"asks for {route.request.url}")
        route.abort()

    def open_it(name, kind):
        page = contexts[kind].new_page()
        opened.append(page)
        page.route("**/*", only_here)
        page.on("console", lambda message: message.type in ("error", "warning") and troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("response", lambda response: response.status >= 400 and troubles.append(f"{response.status}: {response.url}"))
        page.goto(f"{address}/{name}.html", wait_until="load")
        page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
        return page
    yield open_it
    for page in opened: page.close()
    assert troubles == []


# Tokens of code have their colors by class, and axe looks at each of them for a long time: of some pages it would be fifteen thousand
ONE_TOKEN_OF_A_KIND = """() => {
    const seen = new Set();
    for (const token of document.querySelectorAll(".highlight span[class]")) {
        const kind = [token.className, token.closest(".cell, .docutils, details")?.className].join();
        if (seen.has(kind)) token.replaceWith(...token.childNodes); else seen.add(kind);
    }
}"""


@every_page
def test_page_in_the_browser(name, open_page):
    "It opens without an error, axe-core has nothing to say of it, nor of its colors in the dark, and on a phone nothing sticks out at the side."
    page = open_page(name, "light")
    assert not sideways(page)
    page.evaluate(ONE_TOKEN_OF_A_KIND)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, ["color-contrast"]) == []
    page.set_viewport_size(PHONE)
    assert not sideways(page), "the page scrolls sideways"


@every_lesson
def test_no_lesson_is_heavy(name, contexts, address):
    "All that its page loads, as a web server sends it, compressed; with the picture of 2,038 digits that its figures may ask for."
    page, loaded = contexts["light"].new_page(), {}
    page.on("response", lambda response: loaded.update({response.url: min(len(response.body()), len(gzip.compress(response.body())))}))
    page.goto(f"{address}/{name}.html", wait_until="networkidle")
    if f"{address}/_static/{OURS}" not in loaded and OURS in page.content(): loaded[OURS] = len(our_sprite())
    page.close()
    assert 50_000 < sum(loaded.values()) < 700_000, sorted(loaded.items(), key=lambda item: -item[1])[:9]


def sideways(page):
    "Does the page scroll sideways, or the part of it that Furo lets scroll on a phone?"
    return page.evaluate("[document.documentElement, document.querySelector('.content')].some((e) => e && e.scrollWidth > e.clientWidth)")


def test_something_wide_would_be_noticed(open_page):
    page = open_page("glossary", "phone")
    page.evaluate("document.querySelector('article').insertAdjacentHTML('beforeend', '<div style=\"width: 700px\">wide</div>')")
    assert sideways(page)


@pytest.mark.parametrize("name", ["index", "05_distances", "group/sheet_05_distances", "search"])
def test_from_a_disk(name, site, contexts):
    "Opened as files, as from a memory stick, pages work and nothing is complained of."
    page, troubles = contexts["light"].new_page(), []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: troubles.append(request.url))
    page.goto((site / f"{name}.html").as_uri() + "?q=broadcasting", wait_until="load")
    if name == "search": page.locator("ul.search li a[href*='04_broadcasting']").first.wait_for()
    if name == "index":  # where the sheet to draw on is folded, since it gives the rule away
        clear = page.get_by_role("button", name="Clear", include_hidden=True)
        assert clear.count() == 1 and not clear.is_visible()
        page.locator("details.hide > summary").first.click()
        assert clear.is_visible()
    page.close()
    assert troubles == []


def test_axe_would_find_something(browser):
    "The check above can fail: a picture without a text, and gray on gray."
    page = browser.new_page()
    page.set_content('<html lang="en"><title>t</title><main><h1>h</h1><img src="data:,"><p style="color:#999;background:#aaa">gray</p></main>')
    assert {rule for rule, *_ in violations(page)} == {"image-alt", "color-contrast"}
    page.close()


def test_a_link_to_folded_documentation_unfolds_it(open_page):
    page = open_page("reference", "light")
    page.click("a[href='05_distances.html#function-l1-distance']")
    page.wait_for_selector(".reference details[open]")
    assert page.locator(".reference details[open]").count() == 1
    assert "mean absolute difference" in page.locator(".reference details[open]").inner_text()


def test_code_has_a_copy_button(open_page):
    page = open_page("05_distances", "light")
    assert page.locator("button.copybtn").count() >= page.locator("div.cell_input").count() - page.locator("div.tag_remove-input").count() > 10


def test_solutions_and_answers_are_on_the_paper(contexts, address):
    "Of a leader's sheet; what was folded on the screen is folded again afterwards."
    page = contexts["light"].new_page()
    page.goto(f"{address}/group/sheet_05_distances.html", wait_until="load")
    closed = page.locator("#exercises-for-pairs details:not([open]), #exit-card details:not([open])")
    assert closed.count() == 3
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert closed.count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert closed.count() == 3
    page.close()


# The answers to everything are for the screen, where one unfolds what one needs
SHEETS = [name for name in PAGES if re.match(r"group/(?!answers)", name)]


@pytest.mark.parametrize("name", SHEETS)
def test_prints_on_one_or_two_sheets(name, open_page, tmp_path):
    "As an A4 PDF, with everything unfolded."
    page = open_page(name, "light")
    pdf = page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert pages == 2 if name == "group/handouts" else 1 <= pages <= 2  # each handout begins on a sheet of its own, and fits there


def test_as_it_stands_is_part_of_the_page(tmp_path, monkeypatch):
    "What a cell with `output: asis` shows stands on the page as if it had been written there, headings too; its code does not."
    said = nbformat.v4.new_output("display_data", {"text/markdown": "## A heading"})
    page = page_tool.Page(notebook(tmp_path, monkeypatch, code("#| echo: false\n#| output: asis\nshow()", said)))
    assert [(cell.cell_type, cell.source) for cell in page.nb.cells[1:]] == [("markdown", "## A heading")]


@pytest.mark.parametrize("kind", ["light", "dark"])
def test_pictures_stand_on_white(kind, open_page):
    "In the dark too: ink is dark, and labels of axes are black."
    page = open_page("05_distances", kind)
    colors = page.evaluate("[...document.querySelectorAll('.cell_output img')].map((i) => getComputedStyle(i).backgroundColor)")
    assert len(colors) > 1 and set(colors) == {"rgb(255, 255, 255)"}
