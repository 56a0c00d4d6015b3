"""Who asks in tests of services: somebody who may do everything, or just what a role may."""

from basecamp.services.permission import SCOPES_OF, Actor, Role, local_actor

BOSS = local_actor("boss")


def member(role: str, *teams: str, name: str = "mia", also: tuple[str, ...] = ()) -> Actor:
    """Somebody with the scopes of a role on these teams."""
    kind = Role(role)
    return Actor(name, kind, frozenset(teams), SCOPES_OF[kind] | frozenset(also), f"tok_{name}")
