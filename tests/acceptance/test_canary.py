"""That the watch over planted secrets sees them; it looks at all that the tests print and leave."""

from pathlib import Path

import pytest

import canary
from process import Server


def test_thirty_secrets_are_planted() -> None:
    assert len(set(canary.SECRETS.values())) == 30


@pytest.mark.parametrize("name", ["pager", "warehouse", "channel", "value", "literal"])
def test_g10_a_secret_in_a_log_is_found(tmp_path: Path, name: str) -> None:
    log = tmp_path / "deep" / "server.log"
    log.parent.mkdir()
    log.write_text(f'{{"event": "x", "why": "{canary.SECRETS[name]}"}}\n')
    assert list(canary.found_below(tmp_path)) == [(log, {canary.SECRETS[name]})]
    log.unlink()  # the watch itself comes by at the end


def test_g10_a_token_in_a_log_is_found_and_at_home_it_is_none(tmp_path: Path) -> None:
    token = "bcp_local_" + "x" * 43
    (tmp_path / "token").write_text(token)
    log = tmp_path / "server.log"
    log.write_text(f"Bearer {token}\n")
    assert list(canary.found_below(tmp_path)) == [(log, {"a token"})]
    log.unlink()


def test_a_store_may_keep_what_was_sent_and_nothing_of_the_environment(tmp_path: Path) -> None:
    store = tmp_path / "basecamp.db"
    store.write_text(f"{canary.SECRETS['value']} {canary.SECRETS['pager']}")
    assert list(canary.found_below(tmp_path)) == [(store, {canary.SECRETS["pager"]})]
    store.unlink()


def test_every_server_of_the_tests_has_them(tmp_path: Path) -> None:
    (tmp_path / "dli.yaml").write_text("{}\n")
    server = Server(tmp_path)
    try:
        server.wait_until_ready()
        environment = Path(f"/proc/{server.process.pid}/environ").read_bytes()
    finally:
        server.stop()
    for secret in canary.ENVIRONMENT.values():
        assert secret.encode() in environment
