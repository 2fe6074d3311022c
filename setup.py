"Hands the requirement lists of `settings.ini` to setuptools; `pyproject.toml` says the rest."
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

settings = ConfigParser()
settings.read_string(Path(__file__).with_name("settings.ini").read_text(encoding="utf-8"))


def requirements(name):
    "The requirements listed under `name`, one a line."
    return settings["DEFAULT"][name].split("\n")[1:]


course = requirements("course_requirements")       # where a kernel is there already: Colab, Kaggle
lab = course + requirements("lab_requirements")    # at one's own machine
setup(
    install_requires=requirements("requirements"),
    extras_require={"course": course, "lab": lab, "dev": lab + requirements("dev_requirements")},
)
