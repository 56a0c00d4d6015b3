"""Tests on a real Airflow take their time."""

from pathlib import Path

import pytest

LIMIT_S = 900
"""With the installation of Airflow by the first one."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(LIMIT_S))
