"""What the operator says of identity providers, in the words of their settings."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dli.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}", re.ASCII)
_WORKLOAD_KEYS = frozenset({"name", "issuer", "audience", "claims", "teams"})


@dataclass(frozen=True)
class PeopleProvider:
    """Where people prove who they are. `groups` maps a group to what its members may do here."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    groups_claim: str = "groups"
    name_claim: str = "email"
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    redirect_port: int = 0
    session_hours: int = 8


@dataclass(frozen=True)
class Workload:
    """A job of a CI system: all `claims` of its token must be just these."""

    name: str
    issuer: str
    audience: str
    claims: Mapping[str, str]
    teams: tuple[str, ...] = ("*",)


def checked(people: PeopleProvider) -> PeopleProvider:
    """The settings, if somebody could log in with them.

    Raises:
        ConfigurationError: a value cannot be (DLI-001); it is not repeated.
    """
    if not is_trustworthy(people.issuer):
        raise _refused("OIDC_ISSUER", "https://host[:port][/path] of an identity provider")
    if not people.client_id:
        raise _refused("OIDC_CLIENT_ID", "the client that the identity provider knows Basecamp as")
    if not people.groups:
        raise _refused("OIDC_GROUPS", 'as {"group": {"role": "owner", "teams": ["sales"]}}')
    if "openid" not in people.scopes:
        raise _refused("OIDC_SCOPES", "scopes with blanks between them, openid among them")
    return people


def groups_in(text: str) -> dict[str, Any]:
    """The map from groups, of which the first that somebody is in decides on their role."""
    found = _json(text, "OIDC_GROUPS")
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise _refused("OIDC_GROUPS", 'as {"group": {"role": "owner", "teams": ["sales"]}}')
    return found


def workloads_in(text: str) -> tuple[Workload, ...]:
    """The jobs that may publish.

    Raises:
        ConfigurationError: it is not a list of them, or one could be taken for another (DLI-001).
    """
    found = _json(text or "[]", "WORKLOADS")
    if not isinstance(found, list):
        raise _refused("WORKLOADS", "a JSON list")
    return tuple(_workload(one) for one in found)


def is_trustworthy(url: str) -> bool:
    """Whether nobody between here and there can read along or answer instead."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)


def _workload(given: Any) -> Workload:
    wanted = "name, issuer, audience and claims (texts), and teams"
    if not isinstance(given, dict) or set(given) - _WORKLOAD_KEYS:
        raise _refused("WORKLOADS", f"a list of objects with {wanted}")
    claims, teams = given.get("claims"), given.get("teams", ["*"])
    texts = [given.get(key) for key in ("name", "issuer", "audience")]
    if not (_are_texts(texts) and isinstance(claims, dict) and _are_texts(list(claims.values()))):
        raise _refused("WORKLOADS", f"a list of objects with {wanted}")
    if not (isinstance(teams, list) and teams and _are_texts(teams)):
        raise _refused("WORKLOADS", "a list of objects whose teams are a list of names")
    if not is_trustworthy(given["issuer"]) or _NAME.fullmatch(given["name"]) is None:
        raise _refused("WORKLOADS", "a list with an https issuer and a plain name in each")
    # One that names the repository alone would let every branch and pull request publish.
    if "sub" not in claims and not ("ref" in claims and len(claims) > 1):
        raise _refused("WORKLOADS", "a list whose claims pin sub, or ref and the repository")
    return Workload(given["name"], given["issuer"], given["audience"], claims, tuple(teams))


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) and value for value in values)


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise _refused(name, "JSON") from exc


def _refused(name: str, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"BASECAMP_{name} must be {wanted}.")
