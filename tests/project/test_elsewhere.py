"What `tools/elsewhere.py` finds, without installing anything: which Python and versions a place has, and what pip has replaced there."
from configparser import ConfigParser

import elsewhere
import pytest
from packaging.requirements import Requirement


@pytest.mark.parametrize("place", ["colab", "kaggle"])
def test_a_list_says_what_the_course_needs(place):
    "Its Python, and every package that the lessons need, in one version, which the floors in settings.ini allow."
    version, pins = elsewhere.asked_for(place)
    assert version in ("3.12", "3.13")
    settings = ConfigParser()
    settings.read(elsewhere.ROOT / "settings.ini", encoding="utf-8")
    for need in map(Requirement, "\n".join(settings["DEFAULT"][f"{kind}requirements"].strip() for kind in ("", "course_")).split("\n")):
        if need.marker and not need.marker.evaluate({"python_version": version}): continue
        (pin,) = pins[need.name].specifier
        assert pin.operator == "==" and need.specifier.contains(pin.version), f"{place} has {pins[need.name]}, and settings.ini wants {need}"


def test_what_pip_replaced_is_seen():
    "Another version is; a build without CUDA, or a package that came in addition, is not."
    pins = elsewhere.listed("# a comment\ntorch==2.11.0\nfastcore==1.14.5\nidna==3.1\n")
    after = elsewhere.listed("torch==2.11.0+cpu\nfastcore==2.2.41\njedi==0.19\n")
    assert elsewhere.replaced(pins, after) == ["fastcore ==1.14.5 by ==2.2.41"]
    assert elsewhere.replaced(pins, pins) == []
