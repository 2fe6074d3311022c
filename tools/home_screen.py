"""Lets the page of the app be put on a phone's home screen, and work there with no network: a manifest, icons, and a service worker that keeps what the page needs.

A page from the disk can have none of these, so the page asks for them only where it came by http or https.
"""
import hashlib
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from PIL import Image, ImageDraw

from pixelsim.course.draw import TEN

PAGE = "app.html"
SIZES = (192, 512)  # what Android asks for
MANIFEST, WORKER = "app.webmanifest", "app-worker.js"
START = f"""<script>
if (/^https?:$/.test(location.protocol)) {{
  document.head.append(Object.assign(document.createElement("link"), {{ rel: "manifest", href: "{MANIFEST}" }}));
  document.head.append(Object.assign(document.createElement("link"), {{ rel: "apple-touch-icon", href: "app-{SIZES[0]}.png" }}));
  navigator.serviceWorker?.register("{WORKER}", {{ scope: "{PAGE}" }}).catch(() => {{}}); // without it the page needs the network, and that is all
}}
</script>
"""
SERVICE = """// Keeps what the app's page needs. What the network has comes first, so that nobody is left with an old page.
const KEPT = %s;
const FILES = %s;
self.addEventListener("install", (event) => event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(FILES)).then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name.startsWith("pixelsim-app-") && name !== KEPT).map((name) => caches.delete(name))))
  .then(() => self.clients.claim())));
self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  event.respondWith(fetch(event.request).catch(async () => (await caches.match(event.request, { ignoreSearch: true })) ?? Response.error()));
});
"""


def icon(favicon, size):
    "The site's favicon, squares of one color each, as a picture of `size` by `size` pixels, on its own ground to the edge."
    root = ElementTree.fromstring(favicon)
    side = float(root.get("viewBox").split()[2])
    picture = Image.new("RGB", (size, size), root.find("{*}rect").get("fill"))
    pen, unit = ImageDraw.Draw(picture), 0.8 * size / side  # a tenth is left free on each side: some phones cut a circle out
    for group in root.findall("{*}g"):
        for rect in group.findall("{*}rect"):
            x, y, width, height = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
            left, top, right, bottom = (round(0.1 * size + unit * value) for value in (x, y, x + width, y + height))
            pen.rectangle([left, top, right - 1, bottom - 1], fill=group.get("fill"))
    return picture


def needed(html):
    "What the page loads, and what its script may load later."
    links = re.findall(r'<(?:link[^>]*?rel="(?:stylesheet|shortcut icon)"[^>]*?href|script[^>]*?src)="([^"?#]+)', html)
    return [PAGE, *dict.fromkeys(link for link in links if "//" not in link), "_static/widget-draw.js", f"_static/{TEN}"]


def write(folder):
    "Write manifest, icons and service worker beside the page in `folder`, and have the page ask for them."
    folder = Path(folder)
    page = folder / PAGE
    html = page.read_text(encoding="utf-8").replace("</head>", f"{START}</head>", 1)
    page.write_text(html, encoding="utf-8")
    title = re.search(r"<h1>([^<]+)", html)[1]
    for size in SIZES: icon((folder / "_static" / "favicon.svg").read_text(encoding="utf-8"), size).save(folder / f"app-{size}.png")
    icons = [{"src": f"app-{size}.png", "sizes": f"{size}x{size}", "type": "image/png", "purpose": "any maskable"} for size in SIZES]
    manifest = {"name": title, "short_name": title, "start_url": PAGE, "scope": PAGE, "display": "standalone", "background_color": "#ffffff", "theme_color": "#0b5cad", "icons": icons}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    files = needed(html)
    stamp = hashlib.sha256(b"".join((folder / name).read_bytes() for name in files)).hexdigest()[:16]
    (folder / WORKER).write_text(SERVICE % (json.dumps(f"pixelsim-app-{stamp}"), json.dumps(files)), encoding="utf-8")
