"""Logins: somebody or some job that an identity provider vouches for gets a token of ours."""

from __future__ import annotations

import logging
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from basecamp.errors import RequestRefusedError
from basecamp.provider.issuer import Issuer, NotVouchedError, Redemption, check_library
from basecamp.services.command import Caller, Change, Commands, Reply
from basecamp.services.membership import Grant, Memberships
from basecamp.services.permission import SERVER, Actor, Effect, Role, authorize
from basecamp.services.token import NewToken, is_name
from dli.exceptions import DLIError, ErrorCode, ServerError, WorkflowPermissionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from basecamp.clock import Clock
    from basecamp.provider.issuer import Claims
    from basecamp.provider.settings import PeopleProvider, Workload
    from basecamp.services.identity import Identities
    from basecamp.store.database import Database

_log = logging.getLogger(__name__)
_REDIRECT = re.compile(r"http://127\.0\.0\.1:([1-9][0-9]{0,4})/callback", re.ASCII)
_AT_ONCE = 4
_WORKLOAD_HOURS = 1
_WORKLOAD_GRANT_SCOPES = ("code:publish",)


@dataclass(frozen=True)
class LoginRequest:
    """What a browser brought back to the command line, and what it was sent away with."""

    code: str
    code_verifier: str
    redirect_uri: str
    nonce: str


class LoginService:
    """Asks identity providers about who comes without a token; without any it lets nobody in."""

    def __init__(
        self,
        database: Database,
        identities: Identities,
        clock: Clock,
        *,
        people: PeopleProvider | None = None,
        workloads: tuple[Workload, ...] = (),
    ) -> None:
        """Read the map of groups.

        Raises:
            ConfigurationError: a group has no role that exists, or a library is missing (DLI-001).
        """
        self._identities = identities
        self._commands = Commands(database, clock)
        self._people = people
        self._workloads = workloads
        self._memberships = Memberships({} if people is None else people.groups)
        urls = {one.issuer for one in workloads} | ({people.issuer} if people else set())
        if urls:
            check_library()
        self._issuers = {url: Issuer(url, clock) for url in urls}
        self._turns = threading.BoundedSemaphore(_AT_ONCE)

    def offer(self) -> dict[str, Any]:
        """Where people prove who they are; all `None` when nowhere.

        Raises:
            ServerError: the identity provider cannot be used (DLI-504).
        """
        if self._people is None:
            return dict.fromkeys(
                ("issuer", "client_id", "scopes", "authorization_endpoint", "redirect_port")
            )
        with self._turn():
            endpoints = self._issuers[self._people.issuer].endpoints()
        return {
            "issuer": self._people.issuer,
            "client_id": self._people.client_id,
            "scopes": list(self._people.scopes),
            "authorization_endpoint": endpoints.get("authorization_endpoint"),
            "redirect_port": self._people.redirect_port or None,
        }

    def log_in(self, request_id: str | None, wanted: LoginRequest) -> Reply:
        """A token for somebody who has just proved who they are.

        Raises:
            RequestRefusedError: the provider does not vouch for this login (401, DLI-502), or
                there is none (404).
            WorkflowPermissionError: none of their groups may do anything here (803).
            ServerError: the identity provider cannot be used (DLI-504).
        """
        people = self._people
        if people is None:
            raise RequestRefusedError("This server has no identity provider.", status=404)
        self._check_redirect(wanted.redirect_uri, people.redirect_port)
        redemption = Redemption(wanted.code, wanted.code_verifier, wanted.redirect_uri)
        issuer = self._issuers[people.issuer]
        with self._turn(), _refusing():
            text = issuer.redeem(redemption, people.client_id, people.client_secret)
            claims = issuer.verify(text, audience=people.client_id, nonce=wanted.nonce)
            name = _name(claims, people.name_claim)
        grant = self._memberships.of(claims.get(people.groups_claim))
        if grant is None:
            _log.warning("login.refused", extra={"reason": "groups"})
            raise WorkflowPermissionError("None of your groups may do anything on this server.")
        visitor = _Visitor(name, claims, grant, people.session_hours, Effect.SESSION_LOGIN)
        return self._issue(request_id, visitor)

    def exchange(self, request_id: str | None, text: str) -> Reply:
        """A token that may publish, for a job whose CI system vouches for it.

        Raises:
            RequestRefusedError: nobody vouches for this job (401, DLI-502), or none may (404).
            ServerError: the identity provider cannot be used (DLI-504).
        """
        if not self._workloads:
            raise RequestRefusedError("No job may log in to this server.", status=404)
        with self._turn(), _refusing():
            workload, claims = self._workload(text)
        grant = Grant(Role.VIEWER, workload.teams, _WORKLOAD_GRANT_SCOPES)
        visitor = _Visitor(workload.name, claims, grant, _WORKLOAD_HOURS, Effect.SESSION_EXCHANGE)
        return self._issue(request_id, visitor)

    def _workload(self, text: str) -> tuple[Workload, Claims]:
        """The first workload that the token is for."""
        why = NotVouchedError("workload")
        for workload in self._workloads:
            try:
                claims = self._issuers[workload.issuer].verify(text, audience=workload.audience)
            except NotVouchedError as exc:
                why = exc
                continue
            if all(claims.get(key) == value for key, value in workload.claims.items()):
                return workload, claims
            why = NotVouchedError("workload")
        raise why

    def _issue(self, request_id: str | None, visitor: _Visitor) -> Reply:
        new = NewToken.made(visitor.kind)
        grant = visitor.grant
        actor = Actor(
            visitor.name, grant.role, frozenset(grant.teams), frozenset(grant.scopes), new.token_id
        )
        values = {
            "name": visitor.name,
            "role": grant.role.value,
            "teams": list(grant.teams),
            "scopes": list(grant.scopes),
            "created_by": visitor.claims["iss"],
        }

        def issue(change: Change) -> Reply:
            told = {"issuer": visitor.claims["iss"], "subject": visitor.claims["sub"]}
            return new.keep(change, visitor.effect.value, values, visitor.hours, told)

        permit = lambda _: authorize(actor, visitor.effect, SERVER)  # noqa: E731
        reply = self._commands.execute(Caller(actor, request_id), permit, issue)
        self._identities.forget()
        return new.shown(reply)

    def _check_redirect(self, redirect_uri: str, port: int) -> None:
        """Only this machine's own end of a login, to the letter."""
        found = _REDIRECT.fullmatch(redirect_uri)
        if found is None or int(found[1]) > 65_535 or port not in (0, int(found[1])):
            raise RequestRefusedError(
                "The redirect_uri must be http://127.0.0.1:PORT/callback with the port offered.",
                status=422,
                code=ErrorCode.PARAMETER_INVALID,
            )

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Few at once ask a provider: who floods us does not flood it."""
        if not self._turns.acquire(timeout=1.0):
            raise ServerError(
                "Too many log in at once.",
                code=ErrorCode.SERVER_EXECUTION,
                details={"retry_after": 2},
            )
        try:
            yield
        finally:
            self._turns.release()


@dataclass(frozen=True)
class _Visitor:
    """Somebody or a job that a provider vouches for."""

    name: str
    claims: Claims
    grant: Grant
    hours: int
    effect: Effect

    @property
    def kind(self) -> str:
        return "login" if self.effect is Effect.SESSION_LOGIN else "ci"


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except NotVouchedError as exc:
        _log.warning("login.refused", extra={"reason": str(exc)})
        raise not_vouched(str(exc)) from exc


def not_vouched(reason: str) -> DLIError:
    """The answer to a login that does not hold (401, DLI-502); the log has the reason."""
    return RequestRefusedError(
        "The identity provider does not vouch for this login; its id in the log tells why.",
        status=401,
        code=ErrorCode.SERVER_AUTH_FAILED,
        details={"reason": reason},
    )


def _name(claims: Claims, claim: str) -> str:
    """The name that the audit trail has; rights do not hang on it."""
    found = claims.get(claim)
    if claim == "email" and claims.get("email_verified", True) is not True:
        raise NotVouchedError("email_verified")
    if not isinstance(found, str) or not is_name(found):
        raise NotVouchedError(claim)
    return found
