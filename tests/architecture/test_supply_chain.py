"""What is shipped is listed, has a floor, and CI runs nothing of others that could change."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKED = {
    package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
}
NEEDED = {
    line for lines in [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    for line in lines if not line.startswith("dli[")
}  # fmt: skip


@pytest.fixture(scope="module")
def bom(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("bom") / "sbom.json"
    subprocess.run(["make", "--silent", "sbom", f"SBOM={file}"], check=True, cwd=ROOT, timeout=100)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_the_bill_of_materials_holds_every_package_that_is_shipped(bom: dict[str, Any]) -> None:
    assert (bom["bomFormat"], bom["metadata"]["component"]["name"]) == ("CycloneDX", "dli")
    listed = {component["name"]: component for component in bom["components"]}
    for line in NEEDED:
        name = re.split(r"[\[>=<]", line)[0].lower()
        assert listed[name]["version"] == LOCKED[name]["version"]
    assert not listed.keys() & {"pytest", "mypy", "ruff", "bandit"}
    for component in listed.values():
        assert component["purl"].startswith(f"pkg:pypi/{component['name']}@")
        files = [file for file in component["externalReferences"] if file["type"] == "distribution"]
        assert files
        assert all(file["hashes"] for file in files)


def test_each_package_says_who_needs_it(bom: dict[str, Any]) -> None:
    known = {component["bom-ref"] for component in bom["components"]}
    known.add(bom["metadata"]["component"]["bom-ref"])
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in bom["dependencies"]}
    assert needs.keys() == known
    assert {name for names in needs.values() for name in names} <= known


@pytest.mark.parametrize("line", sorted(NEEDED))
def test_every_package_that_is_needed_has_a_floor(line: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]+(\[[a-z]+\])?>=[0-9.]+(,<[0-9.]+)?", line)


def test_ci_uses_no_action_that_could_change() -> None:
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    assert workflows
    for file in workflows:
        workflow = yaml.safe_load(file.read_text())
        assert workflow["permissions"] == {}
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        used = [step["uses"] for step in steps if "uses" in step]
        assert [one for one in used if not re.search(r"@[0-9a-f]{40}$", one)] == []
        assert any(".ci/run" in step.get("run", "") for step in steps)
