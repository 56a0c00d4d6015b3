"""The matrix of roles, routes and ownership, counted."""

import re
import subprocess
import sys
from pathlib import Path

from campaign import Campaign

ROOT = Path(__file__).parents[2]
MATRIX = "tests/integration/basecamp/test_http_rights.py"
COUNTED = re.compile(r"([0-9]+) (passed|failed|error|skipped)")


def test_t10_every_cell_of_the_matrix_is_as_it_should_be(campaign: Campaign) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", MATRIX]
    done = subprocess.run(
        [*command, f"--randomly-seed={campaign.seed % 2**32}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    counted = {kind: int(number) for number, kind in COUNTED.findall(done.stdout.splitlines()[-1])}
    campaign.count("cells", counted.get("passed", 0))
    campaign.figure("gaps", sum(counted.values()) - counted.get("passed", 0), limit=0)
    campaign.figure("cells", counted.get("passed", 0), at_least=500)
    assert done.returncode == 0, done.stdout[-5_000:]
