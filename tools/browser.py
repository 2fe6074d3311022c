"""Finds Chromium for the tests that look at pages, and installs it where it is missing.

    python tools/browser.py

On Debian and its relatives it comes from the system's packages; elsewhere Playwright, which drives it, brings one.
Without a browser those tests are skipped, and this says so: it is no reason not to run the others.
"""
import os
import shutil
import subprocess
import sys

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge"]
SETTING = "PIXELSIM_CHROMIUM"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]  # for where it runs as root, with no screen and little shared memory
MISSING = f"NOT CHECKED, no Chromium: how the pages look and work in a browser ({SETTING}=/path/to/chromium names one)"


def chromium():
    "The browser to use: the one that PIXELSIM_CHROMIUM names, one on PATH, or Playwright's own; None if there is none."
    if named := os.environ.get(SETTING): return named
    return next(filter(None, map(shutil.which, NAMES)), None) or playwrights_own()


def playwrights_own():
    "The Chromium that `playwright install` has put in its own place, or None."
    try: from playwright.sync_api import sync_playwright
    except ImportError: return None
    with sync_playwright() as playwright: path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


def ways():
    "The ways to install it on this system, each a list of commands: by Debian's packages, then by Playwright, which needs no root."
    if shutil.which("apt-get"):
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        yield [[*root, "apt-get", "update", "-qq"],
               [*root, "apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium", "fonts-liberation"]]
    yield [[sys.executable, "-m", "playwright", "install", "chromium"]]


def install(commands):
    "Try to install it; returns the last lines of what went wrong, or nothing."
    for command in commands:
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        try: done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   encoding="utf-8", errors="replace")
        except OSError as error: return str(error)
        if done.returncode: return "\n".join(done.stdout.strip().splitlines()[-3:])
    return ""


def main():
    if chromium(): return
    print("Installing Chromium, in which the tests open the pages", flush=True)
    troubles = []
    for commands in ways():
        troubles.append(install(commands))
        if chromium(): return
    print("\n".join([MISSING, "It could not be installed:", *troubles]), file=sys.stderr)


if __name__ == "__main__": main()
