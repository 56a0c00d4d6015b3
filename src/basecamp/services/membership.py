"""What the groups of somebody let them do here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from basecamp.services.permission import SCOPES_OF, Role
from basecamp.services.token import checked_scopes, checked_teams
from dli.exceptions import ConfigurationError, DLIValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEYS = frozenset({"role", "teams", "also"})


@dataclass(frozen=True)
class Grant:
    """The rights of a token."""

    role: Role
    teams: tuple[str, ...]
    scopes: tuple[str, ...]


class Memberships:
    """The operator's map from groups to roles. Its order counts: the first group decides."""

    def __init__(self, groups: Mapping[str, Mapping[str, Any]]) -> None:
        """Read the map.

        Raises:
            ConfigurationError: a role, team or scope cannot be (DLI-001).
        """
        self._grants = {group: _grant(given) for group, given in groups.items()}

    def of(self, groups: object) -> Grant | None:
        """The rights of who is in these groups: the first one's role, on the teams of all that
        give the same rights; `None` for who is in none of them.
        """
        named = {groups} if isinstance(groups, str) else groups
        if not isinstance(named, (list, set)):
            return None
        mine = [grant for group, grant in self._grants.items() if group in named]
        if not mine:
            return None
        same = [one for one in mine if (one.role, one.scopes) == (mine[0].role, mine[0].scopes)]
        teams = sorted({team for grant in same for team in grant.teams})
        return Grant(mine[0].role, tuple(teams), mine[0].scopes)


def _grant(given: Mapping[str, Any]) -> Grant:
    try:
        if set(given) - _KEYS:
            raise ValueError
        role = Role(given.get("role", ""))
        teams, also = _texts(given.get("teams", [])), _texts(given.get("also", []))
        scopes = checked_scopes(role, sorted(SCOPES_OF[role]), also)
        return Grant(role, tuple(checked_teams(role, teams)), tuple(scopes))
    except DLIValidationError as exc:
        raise ConfigurationError(f"BASECAMP_OIDC_GROUPS: {exc.message}") from exc
    except ValueError as exc:
        roles = ", ".join(Role)
        raise ConfigurationError(
            f"BASECAMP_OIDC_GROUPS: each group has a role of {roles}, and teams."
        ) from exc


def _texts(given: object) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise ValueError
    return given
