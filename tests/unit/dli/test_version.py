"""One source for the version."""

from importlib.metadata import version

import dli


def test_installed_distribution_carries_the_version_of_the_package() -> None:
    assert version("dli") == dli.__version__
