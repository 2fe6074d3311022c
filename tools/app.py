"""Serves a notebook as a page of its own, with Voila: each visitor gets a kernel of their own, and sees what the cells show, but not the code.

    python tools/app.py                                     the app on digits, on this machine alone
    python tools/app.py my_app.ipynb --port 8866            another notebook, and the port to wait at
    python tools/app.py my_app.ipynb --share                for everyone in the network: no password, nothing encrypted

A page may ask no host but this one: Voila's own would fetch the style of icons from elsewhere, which it has already.
"""
import argparse
import re
from pathlib import Path

from traitlets.config import Config
from voila.app import Voila

PAGE = Path(__file__).parents[1] / "nbs" / "app.ipynb"
ONLY_US = ("default-src 'self' data: blob:; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
           "connect-src 'self' data: blob:; frame-ancestors 'self'; form-action 'none'")  # what Voila and widgets need, and no other host
LARGEST = 120_000_000  # bytes of one message: of what is larger the page hears nothing, so this is far above what it takes


def titled(request, notebook, cwd):
    "The notebook, with its first heading as the title of the page, where it has none: Voila would take the name of the file."
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    if heading := re.search(r"^#{1,6} +(.*\S)", text, flags=re.MULTILINE): notebook.metadata.setdefault("title", heading[1])
    return notebook


def settings(host, port, browser=True):
    "What Voila is told. What stops the notebook is shown on the page, unless others in the network could read it."
    config = Config()
    config.Voila.ip, config.Voila.port, config.Voila.open_browser = host, port, browser
    config.Voila.tornado_settings = {"headers": {"Content-Security-Policy": ONLY_US}, "websocket_max_message_size": LARGEST}
    config.VoilaConfiguration.show_tracebacks = host == "localhost"
    config.VoilaConfiguration.prelaunch_hook = titled
    config.VoilaConfiguration.file_denylist = [".*"]  # the page, and no file beside it
    config.MappingKernelManager.cull_interval, config.MappingKernelManager.cull_idle_timeout = 60, 600  # seconds: of who left without a word
    return config


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebook", nargs="?", type=Path, default=PAGE, help="the notebook to serve (default: the app on digits)")
    parser.add_argument("--share", action="store_true", help="for everyone in the network, and not for this machine alone")
    parser.add_argument("--port", type=int, default=8866)
    parser.add_argument("--no-browser", action="store_true", help="do not open it in a browser")
    args = parser.parse_args()
    if not args.notebook.is_file(): parser.error(f"there is no notebook at {args.notebook}: name one, or leave it out for the app on digits")
    if args.share: print("Everyone in this network can open the page, with no password. It ends with Ctrl+C.", flush=True)
    Voila.launch_instance([str(args.notebook)], config=settings("0.0.0.0" if args.share else "localhost", args.port, not args.no_browser))


if __name__ == "__main__": main()
