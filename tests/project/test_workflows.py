"The workflows, as far as they can be read: pinned actions, tasks that exist, and rights only where something is published."
import re
from pathlib import Path

import do
import pytest
import yaml

GITHUB = Path(__file__).parents[2] / ".github"
WORKFLOWS = {path.stem: path for path in (GITHUB / "workflows").glob("*.yml")}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow(name):
    "Each action by the hash of its commit with its version behind it; each command a task."
    text = WORKFLOWS[name].read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used and all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+|\./\.github/workflows/\w+\.yml", action) for action in used)
    tasks = {word for command in re.findall(r"do\.py (.*)", text) for word in ([*yaml.safe_load(text)["jobs"]["elsewhere"]["strategy"]["matrix"]["place"]] if "matrix" in command else [command])}
    assert tasks <= do.TASKS.keys()


def test_only_what_publishes_has_rights():
    "Where packages are installed and run, nothing may be written; the job that uploads to PyPI may do nothing else."
    rights = {}
    for name, path in WORKFLOWS.items():
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert all(right == "read" for right in found["permissions"].values())
        rights |= {f"{name}.{job}": steps["permissions"] for job, steps in found["jobs"].items() if "permissions" in steps}
    assert rights == {"pages.publish": {"contents": "write"}, "release.build": {"contents": "read"}, "release.publish": {"id-token": "write"},
                      "release.github": {"contents": "write"}, "release.site": {"contents": "write"}}


def test_forms_can_be_read():
    "GitHub shows a form only if it has a name, a description, and a body whose fields have labels."
    forms = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml")]
    assert len(forms) == 3
    for form in forms: assert form["name"] and form["description"] and all(field["attributes"]["label"] for field in form["body"])
