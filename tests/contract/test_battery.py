"""A campaign of the battery tells how it went, and how to repeat it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CAMPAIGN = """
def test_t1_that_is_{name}(campaign):
    campaign.count("kills", campaign.size(ci=2, long=5))
    campaign.figure("heal p95", {value}, "s", limit=10)
    campaign.figure("dice", campaign.random.randrange(10**9))
"""


def run(folder: Path, *options: str) -> tuple[int, str, list[dict[str, Any]]]:
    """Exit code, output and kept results of a battery of its own."""
    shutil.copy(ROOT / "tests" / "battery" / "conftest.py", folder)
    support = f"pythonpath={ROOT / 'tests' / 'support'}"
    command = [sys.executable, "-m", "pytest", str(folder), f"--rootdir={folder}", "-o", support]
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = alone\n")
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    results = folder / ".battery" / "results.jsonl"
    lines = results.read_text().splitlines() if results.exists() else []
    return done.returncode, done.stdout, [json.loads(line) for line in lines]


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_campaign_tells_its_seed_counts_figures_and_how_to_repeat_it(
    tmp_path: Path, workers: str
) -> None:
    (tmp_path / "test_one.py").write_text(CAMPAIGN.format(name="fine", value=1.5))
    code, output, (first,) = run(tmp_path, "-n", workers)
    assert code == 0, output
    test = "test_one.py::test_t1_that_is_fine"
    assert f"T1 passed in {first['duration_s']} s, seed {first['seed']}" in output
    assert "   2 kills\n   heal p95 1.5 s (at most 10)\n" in output
    command = f"'{test}' --battery ci --battery-seed {first['seed']}"
    assert f"   repeat: .venv/bin/pytest -n0 {command}" in output
    _, _, (_, second) = run(tmp_path, "--battery", "long", "--battery-seed", str(first["seed"]))
    assert second["figures"] == first["figures"]
    assert second["counts"] == {"kills": 5}


def test_a_figure_that_is_missed_fails_the_campaign_and_all_are_told(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(CAMPAIGN.format(name="slow", value=11))
    code, output, (result,) = run(tmp_path)
    assert code == 1
    assert "not reached: heal p95 11 s (at most 10)" in output
    assert (result["outcome"], len(result["figures"])) == ("failed", 2)


def test_a_campaign_without_an_id_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_that_has_none(): pass\n")
    code, output, results = run(tmp_path)
    assert (code, results) == (4, []), output
