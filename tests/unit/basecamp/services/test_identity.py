"""A token is somebody until it is revoked or expires, also where it was looked up before."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from basecamp.errors import RequestRefusedError
from basecamp.services.command import Caller, Idempotency
from basecamp.services.identity import Identities
from basecamp.services.permission import Role
from basecamp.services.secret import hash_of, is_well_formed, new_secret
from basecamp.services.token import TokenService
from basecamp.store import audit, table
from basecamp.store.database import Database
from dli.exceptions import DLIError, ErrorCode, ServerError, WorkflowPermissionError
from identity import BOSS, member

LOCAL = "bcp_local_" + "x" * 43


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def identities(database: Database, clock: Any, seconds: Seconds) -> Identities:
    return Identities(LOCAL, database, clock, seconds)


@pytest.fixture
def tokens(database: Database, identities: Identities, clock: Any) -> TokenService:
    return TokenService(database, identities, clock)


@pytest.fixture
def boss() -> Caller:
    return Caller(BOSS)


def made(tokens: TokenService, boss: Caller, name: str = "ci", **more: Any) -> tuple[str, str]:
    values = {"role": "operator", "teams": ["sales"], **more}
    body = tokens.create(boss, name=name, **values).body
    return body["token"], body["token_id"]


def reason(identities: Identities, secret: str) -> str:
    found = identities.find(secret)
    assert (found.actor is None) == bool(found.reason)
    return found.reason


def test_the_local_token_is_an_admin_without_the_store(identities: Identities) -> None:
    found = identities.at_hand(LOCAL)
    assert found is not None
    assert found.actor is not None
    assert (found.actor.name, found.actor.role) == ("local", Role.ADMIN)
    assert {"code:publish", "sql:run", "token:admin"} <= found.actor.scopes


def test_a_token_is_who_it_was_made_for(
    identities: Identities, tokens: TokenService, boss: Caller
) -> None:
    secret, token_id = made(tokens, boss, also=["sql:run"])
    actor = identities.find(secret).actor
    assert actor is not None
    assert (actor.name, actor.role, [*actor.teams]) == ("ci", Role.OPERATOR, ["sales"])
    assert actor.token_id == token_id
    assert "sql:run" in actor.scopes
    assert "dataset:write" not in actor.scopes
    assert identities.at_hand(secret) is not None  # believed for a while


def test_the_secret_is_in_no_table(database: Database, tokens: TokenService, boss: Caller) -> None:
    key = Idempotency("key", "POST", "/tokens", "0" * 64)
    secret, _ = made(tokens, Caller(BOSS, idempotency=key))
    with database.read() as tx:
        rows = [
            str(row) for one in table.metadata.tables.values() for row in tx.execute(select(one))
        ]
    assert any(hash_of(secret) in row for row in rows)
    assert not any(secret in row for row in rows)


def test_a_repeated_creation_makes_no_second_token_and_shows_no_secret(
    tokens: TokenService, boss: Caller
) -> None:
    caller = Caller(BOSS, idempotency=Idempotency("key", "POST", "/tokens", "0" * 64))
    first = tokens.create(caller, name="ci", role="viewer", teams=["sales"])
    again = tokens.create(caller, name="ci", role="viewer", teams=["sales"])
    assert again.replayed
    assert again.body["token"] is None
    assert again.body["token_id"] == first.body["token_id"]
    assert tokens.list(BOSS)[1] == 1


def test_revoked_is_refused_at_once_here_and_within_seconds_elsewhere(
    database: Database,
    clock: Any,
    seconds: Seconds,
    tokens: TokenService,
    boss: Caller,
    identities: Identities,
) -> None:
    elsewhere = Identities(LOCAL, database, clock, seconds)
    secret, token_id = made(tokens, boss)
    assert identities.find(secret).actor == elsewhere.find(secret).actor
    tokens.revoke(boss, token_id, "left the team")
    assert reason(identities, secret) == "revoked"
    assert elsewhere.find(secret).actor is not None
    seconds.now = 5.0
    assert reason(elsewhere, secret) == "revoked"


def test_expired_is_refused_though_it_was_looked_up_before(
    identities: Identities, tokens: TokenService, boss: Caller, clock: Any
) -> None:
    secret, _ = made(tokens, boss, expires_in_hours=1)
    assert identities.find(secret).actor is not None
    clock.advance(timedelta(hours=1))
    assert reason(identities, secret) == "expired"
    assert reason(identities, secret) == "expired"


@pytest.mark.parametrize("text", ["", "x", "bcp_api_" + "0" * 49, "\u0661" * 57])
def test_what_was_never_given_out_is_nobody(identities: Identities, text: str) -> None:
    assert reason(identities, text) == "wrong"


def test_a_well_formed_secret_that_nobody_has_is_wrong(identities: Identities) -> None:
    assert reason(identities, new_secret()) == "wrong"


def test_a_secret_has_a_checksum() -> None:
    secret = new_secret()
    other = "A" if secret[-1] != "A" else "B"
    assert is_well_formed(secret)
    assert not is_well_formed(secret[:-1] + other)
    assert not is_well_formed(secret[:20] + other + secret[21:]) or secret[20] == other


def test_rotation_leaves_the_old_token_good_for_a_while(
    identities: Identities, tokens: TokenService, boss: Caller, clock: Any, seconds: Seconds
) -> None:
    old, token_id = made(tokens, boss)
    new = tokens.rotate(boss, token_id, overlap_hours=2).body
    was, now = identities.find(old).actor, identities.find(new["token"]).actor
    assert was is not None
    assert now is not None
    assert (was.name, was.scopes, was.teams) == (now.name, now.scopes, now.teams)
    clock.advance(timedelta(hours=2))
    seconds.now = 5.0
    assert reason(identities, old) == "expired"
    assert identities.find(new["token"]).actor is not None


def test_a_token_that_ended_is_not_rotated_or_revoked_again(
    tokens: TokenService, boss: Caller
) -> None:
    _, token_id = made(tokens, boss)
    tokens.revoke(boss, token_id)
    for again in (tokens.rotate, tokens.revoke):
        with pytest.raises(RequestRefusedError) as caught:
            again(boss, token_id)
        assert caught.value.status == 409
    with pytest.raises(RequestRefusedError) as caught:
        tokens.revoke(boss, "tok_none")
    assert caught.value.status == 404


def test_a_name_in_use_is_not_given_twice(tokens: TokenService, boss: Caller) -> None:
    _, token_id = made(tokens, boss)
    with pytest.raises(DLIError) as caught:
        made(tokens, boss)
    assert caught.value.details == {"conflict": True}
    tokens.revoke(boss, token_id)
    made(tokens, boss)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "local"},
        {"name": "a b"},
        {"name": ""},
        {"teams": []},
        {"teams": [" "]},
        {"role": "admin", "teams": ["sales"]},
        {"scopes": ["dataset:write"]},
        {"also": ["token:admin"]},
        {"also": ["no:such"]},
        {"expires_in_hours": 365 * 24 + 1},
        {"role": "admin", "teams": [], "expires_in_hours": 25},
    ],
)
def test_a_token_that_cannot_be_is_refused(
    tokens: TokenService, boss: Caller, wrong: dict[str, Any]
) -> None:
    with pytest.raises(DLIError) as caught:
        tokens.create(boss, **{"name": "ci", "role": "operator", "teams": ["sales"], **wrong})
    assert caught.value.code is ErrorCode.PARAMETER_INVALID


def test_nobody_hands_out_more_than_they_have(tokens: TokenService, boss: Caller) -> None:
    admin = Caller(member("admin", "*"))
    with pytest.raises(WorkflowPermissionError):
        made(tokens, admin, also=["code:publish"])
    _, token_id = made(tokens, boss, also=["code:publish"])
    with pytest.raises(WorkflowPermissionError):
        tokens.rotate(admin, token_id)
    made(tokens, admin, name="other")


@pytest.mark.parametrize("role", ["viewer", "operator", "owner", "auditor"])
def test_only_an_admin_handles_tokens(tokens: TokenService, boss: Caller, role: str) -> None:
    _, token_id = made(tokens, boss)
    caller = Caller(member(role, "*"))
    for attempt in (
        lambda: made(tokens, caller, name="x"),
        lambda: tokens.rotate(caller, token_id),
        lambda: tokens.revoke(caller, token_id),
        lambda: tokens.list(caller.actor),
    ):
        with pytest.raises(WorkflowPermissionError):
            attempt()


def test_the_list_holds_no_secret_and_tells_what_ended(
    identities: Identities, tokens: TokenService, boss: Caller
) -> None:
    secret, token_id = made(tokens, boss)
    identities.find(secret)
    (record,), _ = tokens.list(BOSS)
    assert record["state"] == "live"
    assert record["last4"] == secret[-4:]
    assert record["last_used_at"] is not None
    assert secret not in str(record)
    assert hash_of(secret) not in str(record)
    tokens.revoke(boss, token_id)
    assert tokens.list(BOSS) == ([], 0)
    assert tokens.list(BOSS, ended=True)[0][0]["state"] == "revoked"


def test_each_change_of_a_token_is_audited(
    database: Database, tokens: TokenService, boss: Caller
) -> None:
    secret, token_id = made(tokens, boss)
    new = tokens.rotate(boss, token_id).body
    tokens.revoke(boss, token_id, "rotated")
    ci = Caller(member("operator", "sales", name="ci"))
    tokens.begin_session(ci)
    tokens.end_session(ci)
    with database.read() as tx:
        of = {name: audit.of_resource(tx, name) for name in (token_id, new["token_id"], "ci")}
    told = {name: [row["action"] for row in rows] for name, rows in of.items()}
    assert told[token_id] == ["token.create", "token.revoke"]
    assert told[new["token_id"]] == ["token.rotate"]
    assert told["ci"] == ["session.open", "session.close"]
    assert of["ci"][0]["detail"]["token_id"] == "tok_ci"
    assert secret not in str(of)
    assert new["token"] not in str(of)


def test_a_store_that_cannot_write_lets_tokens_be_read(
    identities: Identities,
    tokens: TokenService,
    boss: Caller,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret, _ = made(tokens, boss)

    def full() -> None:
        raise ServerError("The disk of the state store is full.")

    monkeypatch.setattr(database, "transaction", full)
    assert identities.find(secret).actor is not None
