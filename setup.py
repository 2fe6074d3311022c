"Hands the requirement lists of `settings.ini` to setuptools; `pyproject.toml` says the rest."
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

settings = ConfigParser()
settings.read_string(Path(__file__).with_name("settings.ini").read_text(encoding="utf-8"))


def requirements(name):
    "The requirements listed under `name`, one a line."
    return settings["DEFAULT"][name].split("\n")[1:]


course = requirements("course_requirements")
setup(
    install_requires=requirements("requirements"),
    extras_require={"course": course, "dev": course + requirements("dev_requirements")},
)
