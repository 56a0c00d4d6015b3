"""How tests are spread over the workers of a parallel run."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file stays together, for its fixtures; what is marked `serial` stays in one worker."""
    for item in items:
        group = "serial" if item.get_closest_marker("serial") else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
