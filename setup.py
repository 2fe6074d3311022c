"Hands the requirement lists of `settings.ini` and the README to setuptools; `pyproject.toml` says the rest."
import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

def read(name): return Path(__file__).with_name(name).read_text(encoding="utf-8")


settings = ConfigParser()
settings.read_string(read("settings.ini"))


def requirements(name):
    "The requirements listed under `name`, one a line."
    return settings["DEFAULT"][name].split("\n")[1:]


def readme():
    "The README, whose links and pictures lead to the repository, since the package index shows it without its neighbors."
    repository = re.search(r'^Repository = "(.*)"', read("pyproject.toml"), flags=re.M)[1]
    if "/OWNER/" in repository: return read("README.md")  # nobody knows yet where that is
    return re.sub(r"\]\((?!https?:|#)(\S+?)\)", lambda m: f"]({repository}/{'raw' if m[1].endswith('.png') else 'blob'}/main/{m[1]})", read("README.md"))


course = requirements("course_requirements")       # where a kernel is there already: Colab, Kaggle
lab = course + requirements("lab_requirements")    # at one's own machine
setup(
    long_description=readme(), long_description_content_type="text/markdown",
    install_requires=requirements("requirements"),
    extras_require={"course": course, "lab": lab, "dev": lab + requirements("dev_requirements")},
)
