"""Tokens: made, shown once, rotated, listed and revoked."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from basecamp.auth import LOCAL
from basecamp.errors import RequestRefusedError
from basecamp.services.command import Caller, Change, Commands, Permit, Reply
from basecamp.services.permission import (
    ALL_TEAMS,
    OWN_SCOPES,
    SCOPES_OF,
    SERVER,
    Actor,
    Effect,
    Role,
    authorize,
)
from basecamp.services.record import wire_time
from basecamp.services.secret import hash_of, new_secret
from basecamp.store import token
from dli.exceptions import DLIValidationError, ErrorCode, WorkflowPermissionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from basecamp.clock import Clock
    from basecamp.services.identity import Identities
    from basecamp.store.database import Database
    from basecamp.store.token import TokenRow

Records = list[dict[str, Any]]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}", re.ASCII)
_RESERVED = frozenset({LOCAL, "scheduler", "backfill", "basecamp", "reconcile"})
_TEAM_MAX = 200
_HOURS = 90 * 24
_HOURS_MAX = 365 * 24
_ADMIN_HOURS = 24
OVERLAP_HOURS = 24
"""How long the old token of a rotation stays good."""


class TokenService:
    """Keeps the tokens of people and services."""

    def __init__(self, database: Database, identities: Identities, clock: Clock) -> None:
        self._database = database
        self._identities = identities
        self._clock = clock
        self._commands = Commands(database, clock)

    def create(
        self,
        caller: Caller,
        *,
        name: str,
        role: str,
        teams: Sequence[str] = (),
        scopes: Sequence[str] | None = None,
        also: Sequence[str] = (),
        expires_in_hours: int | None = None,
    ) -> Reply:
        """A new token: 201, the one answer that holds its secret; a repetition of it does not.

        It gets the scopes of its role, or just `scopes`, and those of `also`, but none and no team
        that its maker has not.

        Raises:
            DLIValidationError: the name is taken (201, a conflict) or a value cannot be (204).
            WorkflowPermissionError: it would have more rights than its maker (803).
        """
        authorize(caller.actor, Effect.TOKEN_CREATE, SERVER)
        kind = Role(role)
        values = {
            "name": _checked_name(name),
            "role": kind.value,
            "teams": checked_teams(kind, teams),
            "scopes": checked_scopes(kind, scopes, also),
        }
        lifetime = _lifetime(kind, expires_in_hours)
        _check_within(caller.actor, values)

        def create(change: Change, new: NewToken) -> Reply:
            if token.live_named(change.tx, name, change.now):
                raise DLIValidationError(
                    "A token of this name is in use; rotate or revoke it.",
                    details={"conflict": True},
                )
            return new.keep(change, "token.create", values, lifetime, {})

        return self._issue(caller, Effect.TOKEN_CREATE, create)

    def rotate(self, caller: Caller, token_id: str, *, overlap_hours: int = OVERLAP_HOURS) -> Reply:
        """Another token with the same rights and lifetime; the old one ends after the overlap.

        Raises:
            RequestRefusedError: no such token, or it is not good any more (404, 409).
            WorkflowPermissionError: it has more rights than the caller (803).
        """

        def rotate(change: Change, new: NewToken) -> Reply:
            old = _found(change, token_id)
            if _state(old, change.now) != "live":
                raise RequestRefusedError("The token is not in use any more.", status=409)
            values = {key: getattr(old, key) for key in ("name", "role", "teams", "scopes")}
            _check_within(caller.actor, values)
            end = min(old.expires_at, change.now + timedelta(hours=overlap_hours))
            token.change(change.tx, token_id, {"expires_at": end})
            return new.keep(
                change, "token.rotate", values, old.lifetime_hours, {"replaces": token_id}
            )

        return self._issue(caller, Effect.TOKEN_ROTATE, rotate)

    def revoke(self, caller: Caller, token_id: str, reason: str | None = None) -> Reply:
        """End a token: at once here, and within seconds on other servers.

        Raises:
            RequestRefusedError: no such token, or revoked already (404, 409).
        """

        def revoke(change: Change) -> Reply:
            row = _found(change, token_id)
            if row.revoked_at is not None:
                raise RequestRefusedError("The token is revoked already.", status=409)
            values = {"revoked_at": change.now, "revoked_by": caller.name}
            token.change(change.tx, token_id, values)
            change.audit("token.revoke", token_id, reason, {"name": row.name})
            record = token_record(_found(change, token_id), change.now)
            return Reply(200, {**record, "message": "The token is revoked."})

        permit = _permit(caller, Effect.TOKEN_REVOKE)
        reply = self._commands.execute(caller, permit, revoke)
        self._identities.forget()
        return reply

    def list(
        self, actor: Actor, *, ended: bool = False, limit: int = 50, offset: int = 0
    ) -> tuple[Records, int]:
        """One page of tokens without their secrets, newest first; with `ended` old ones, too."""
        authorize(actor, Effect.TOKEN_READ, SERVER)
        now = self._clock.now()
        with self._database.read() as tx:
            rows, count = token.page(tx, None if ended else now, limit, offset)
        return [token_record(row, now) for row in rows], count

    def begin_session(self, caller: Caller) -> Reply:
        """Note that somebody begins to work with a token; the answer is who that is."""
        return self._note(caller, Effect.SESSION_OPEN)

    def end_session(self, caller: Caller) -> Reply:
        """Note that somebody puts a token away: one of a login ends, any other stays good."""
        reply = self._note(caller, Effect.SESSION_CLOSE)
        self._identities.forget()
        return reply

    def _note(self, caller: Caller, effect: Effect) -> Reply:
        def note(change: Change) -> Reply:
            change.audit(effect.value, caller.name)
            token_id = caller.actor.token_id
            if effect is Effect.SESSION_CLOSE and token_id is not None:
                _end_login(change, token_id)
            return Reply(200, identity_record(caller.actor))

        return self._commands.execute(caller, _permit(caller, effect), note)

    def _issue(
        self, caller: Caller, effect: Effect, action: Callable[[Change, NewToken], Reply]
    ) -> Reply:
        """Make a token in `action`; its secret goes out once and is never stored."""
        new = NewToken.made("api")
        permit = _permit(caller, effect)
        reply = self._commands.execute(caller, permit, lambda change: action(change, new))
        if reply.replayed:
            message = "Its secret was shown with the first answer; rotate it for another."
            return replace(reply, body={**reply.body, "message": message})
        self._identities.forget()
        return new.shown(reply)


@dataclass(frozen=True)
class NewToken:
    """A token that is being made."""

    token_id: str
    secret: str

    @classmethod
    def made(cls, kind: str) -> NewToken:
        """One that nobody can guess; the kind is in its prefix."""
        return cls(f"tok_{secrets.token_hex(8)}", new_secret(kind))

    def shown(self, reply: Reply) -> Reply:
        """The one answer that has the secret."""
        return replace(reply, body={**reply.body, "token": self.secret})

    def keep(
        self,
        change: Change,
        action: str,
        values: dict[str, Any],
        lifetime_hours: int,
        detail: dict[str, Any],
    ) -> Reply:
        """Store it, and the `action` in the audit trail; the answer is without the secret."""
        row = {
            "created_by": change.caller.name,
            **values,
            "token_id": self.token_id,
            "secret_hash": hash_of(self.secret),
            "last4": self.secret[-4:],
            "created_at": change.now,
            "lifetime_hours": lifetime_hours,
            "expires_at": change.now + timedelta(hours=lifetime_hours),
        }
        token.add(change.tx, row)
        told = {key: values[key] for key in ("name", "role", "teams", "scopes")}
        change.audit(action, self.token_id, detail=told | detail)
        record = token_record(_found(change, self.token_id), change.now)
        return Reply(201, {**record, "token": None, "message": "The secret is shown this once."})


def identity_record(actor: Actor) -> dict[str, Any]:
    """Who somebody is, and what they may do."""
    return {
        "name": actor.name,
        "role": actor.role.value,
        "teams": sorted(actor.teams),
        "scopes": sorted(actor.scopes),
        "token_id": actor.token_id,
    }


def token_record(row: TokenRow, now: datetime) -> dict[str, Any]:
    """A token without its secret."""
    instants = ("created_at", "expires_at", "revoked_at", "last_used_at")
    return {
        "token_id": row.token_id,
        "name": row.name,
        "role": row.role,
        "teams": row.teams,
        "scopes": row.scopes,
        "state": _state(row, now),
        "last4": row.last4,
        "created_by": row.created_by,
        "revoked_by": row.revoked_by,
        **{name: wire_time(getattr(row, name)) for name in instants},
    }


def _state(row: TokenRow, now: datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "live" if row.expires_at > now else "expired"


def _end_login(change: Change, token_id: str) -> None:
    """End a token that an identity provider vouched for: who logs in anew gets another."""
    row = token.find(change.tx, token_id)
    if row is not None and "://" in row.created_by:  # the provider's address, else a name
        values = {"revoked_at": change.now, "revoked_by": change.caller.name}
        token.change(change.tx, token_id, values)


def _permit(caller: Caller, effect: Effect) -> Permit:
    return lambda _: authorize(caller.actor, effect, SERVER)


def _found(change: Change, token_id: str) -> TokenRow:
    row = token.find(change.tx, token_id)
    if row is None:
        raise RequestRefusedError("There is no such token.", status=404)
    return row


def _check_within(actor: Actor, values: dict[str, Any]) -> None:
    """Nobody hands out more than they have, whatever they may do with tokens."""
    is_more = not actor.scopes.issuperset(values["scopes"])
    if is_more or not (actor.is_everywhere or actor.teams.issuperset(values["teams"])):
        raise WorkflowPermissionError("A token may not have more rights than who makes it.")


def is_name(text: str) -> bool:
    """Whether a person or service may have this name."""
    return _NAME.fullmatch(text) is not None and text not in _RESERVED


def _checked_name(name: str) -> str:
    if not is_name(name):
        raise _refused(
            "A token's name has letters, digits and . _ @ + -, at most 100, and is none of the "
            "server's own."
        )
    return name


def checked_teams(role: Role, teams: Sequence[str]) -> list[str]:
    """The teams of a token with this role. Raises: DLIValidationError (204)."""
    if role is Role.AUDITOR or role is Role.ADMIN:
        if set(teams) - {ALL_TEAMS}:
            raise _refused(f"The role {role.value} is not of a team.")
        return [ALL_TEAMS] if role is Role.ADMIN else []
    if not teams:
        raise _refused(f"The role {role.value} needs a team, or {ALL_TEAMS} for all.")
    if not all(team.strip() and team.isprintable() and len(team) <= _TEAM_MAX for team in teams):
        raise _refused("A team has 1 to 200 printable characters.")
    return sorted(set(teams))


def checked_scopes(role: Role, scopes: Sequence[str] | None, also: Sequence[str]) -> list[str]:
    """The scopes of a token with this role. Raises: DLIValidationError (204)."""
    wanted = set(also) | (SCOPES_OF[role] if scopes is None else set(scopes))
    strange = wanted - SCOPES_OF[role] - OWN_SCOPES
    if strange:
        names = ", ".join(sorted(SCOPES_OF[role] | OWN_SCOPES))
        raise _refused(f"Scopes of the role {role.value} are {names}.")
    return sorted(wanted)


def _lifetime(role: Role, hours: int | None) -> int:
    longest = _ADMIN_HOURS if role is Role.ADMIN else _HOURS_MAX
    if hours is None:
        return min(_HOURS, longest)
    if not 1 <= hours <= longest:
        raise _refused(f"A token of the role {role.value} is good for 1 to {longest} hours.")
    return hours


def _refused(message: str) -> DLIValidationError:
    return DLIValidationError(message, code=ErrorCode.PARAMETER_INVALID)
