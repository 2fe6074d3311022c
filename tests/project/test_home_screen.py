"The app's page on a phone's home screen: Chromium would install it, and with the server gone it opens, draws and takes a picture."
import io
import json

import home_screen
import numpy as np
import pytest
from conftest import served
from PIL import Image


@pytest.fixture
def kept(site, browser):
    "The page, once a service worker has kept what it needs."
    context = browser.new_context(viewport={"width": 360, "height": 800})
    with served(site) as address:
        page = context.new_page()
        page.goto(f"{address}/{home_screen.PAGE}")
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.wait_for_function("navigator.serviceWorker.controller !== null")
        yield page, context, address
    context.close()


def test_the_browser_would_install_it(kept):
    "It finds nothing that is missing, and reads the manifest as it was meant."
    page, context, address = kept
    session = context.new_cdp_session(page)
    page.wait_for_function("document.querySelector('link[rel=manifest]') !== null")
    found = session.send("Page.getAppManifest")
    assert found["errors"] == [] and found["url"] == f"{address}/{home_screen.MANIFEST}" and json.loads(found["data"])["name"] == "3 or 7?"
    errors = [each["errorId"] for each in session.send("Page.getInstallabilityErrors")["installabilityErrors"]]
    assert [each for each in errors if each != "in-incognito"] == []  # which every window of a test is


def test_with_no_network_it_works(kept):
    "Reloaded with the network cut off: the sheet is there, a stroke is drawn, a picture is read."
    page, context, address = kept
    context.set_offline(True)
    page.goto(f"{address}/{home_screen.PAGE}")
    box = page.locator(".psd-sheet").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 60, steps=5)
    page.mouse.move(box["x"] + 100, box["y"] + 190, steps=5)
    page.mouse.up()
    page.locator(".psd-says").get_by_text("Your drawing is nearer to the mean 7").wait_for()
    sheet = np.full((90, 90), 215, np.uint8)
    sheet[20:24, 20:60] = sheet[20:70, 56:60] = 30
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, "PNG")
    page.get_by_label("Choose a picture").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": file.getvalue()})
    page.locator(".psd-says").get_by_text("Your picture is nearer to the mean 7").wait_for()
    page.get_by_role("button", name="All ten digits").click()
    page.locator(".psd-ten li").first.wait_for()


def test_other_pages_are_left_alone(kept):
    "The worker is the app's: no other page of the site is held by it."
    page, context, address = kept
    other = context.new_page()
    other.goto(f"{address}/glossary.html")
    assert other.evaluate("navigator.serviceWorker.controller === null && document.querySelector('link[rel=manifest]') === null")


def test_from_the_disk_nothing_is_asked_for(site, browser):
    "No manifest, no worker, and no complaint in the console."
    page, trouble = browser.new_page(), []
    page.on("console", lambda message: trouble.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto((site / home_screen.PAGE).as_uri())
    page.locator(".psd-sheet").wait_for()
    assert trouble == [] and page.evaluate("document.querySelector('link[rel=manifest]') === null")
    page.close()


def test_all_that_is_kept_is_there(site):
    html = (site / home_screen.PAGE).read_text(encoding="utf-8")
    files = home_screen.needed(html)
    assert len(files) > 10 and all((site / name).is_file() for name in files)


@pytest.mark.parametrize("size", home_screen.SIZES)
def test_the_icon_is_the_favicon(site, size):
    "Its size, the colors of the favicon and no other, and a tenth of ground on each side."
    picture = Image.open(site / f"app-{size}.png")
    assert picture.size == (size, size) and {color for _, color in picture.getcolors()} == {(11, 92, 173), (255, 255, 255), (156, 201, 245)}
    edge = size // 10
    assert {color for _, color in picture.crop((0, 0, size, edge)).getcolors()} == {(11, 92, 173)}
