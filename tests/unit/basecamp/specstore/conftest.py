"""A spec store of each kind, with nothing in it."""

from pathlib import Path

import pytest

from basecamp.specstore.base import SpecStore
from basecamp.specstore.location import open_spec_store
from dli.outgoing import Destinations


@pytest.fixture(params=["file", "s3"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file":
        return (tmp_path / "store").as_uri()
    url: str = request.getfixturevalue("s3_url")
    return url


@pytest.fixture
def every_store(store_url: str, tmp_path: Path) -> SpecStore:
    opened = open_spec_store(store_url, tmp_path, Destinations.named_in(["127.0.0.1"]))
    assert not opened.prepare()
    return opened
