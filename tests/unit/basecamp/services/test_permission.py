"""What no rule allows is refused; a refusal tells nothing of what there is."""

import pytest

from basecamp.services import permission
from basecamp.services.permission import (
    OWN_SCOPES,
    SCOPE_OF,
    SCOPES_OF,
    SERVER,
    Actor,
    Effect,
    Resource,
    Role,
    authorize,
    teams_within,
)
from dli.exceptions import WorkflowNotFoundError, WorkflowPermissionError
from identity import BOSS, member

NOBODY = Actor("nobody", Role.VIEWER, frozenset({"*"}), frozenset())
FOR_EVERYBODY = {
    Effect.SESSION_OPEN,
    Effect.SESSION_CLOSE,
    Effect.SESSION_LOGIN,
    Effect.SESSION_EXCHANGE,
}


def hidden() -> WorkflowNotFoundError:
    return WorkflowNotFoundError("There is no such workflow.")


def test_every_effect_has_a_scope_or_is_for_everybody() -> None:
    assert SCOPE_OF.keys() == set(Effect) - FOR_EVERYBODY


def test_every_scope_is_of_a_role_or_given_by_name() -> None:
    of_roles = frozenset[str]().union(*SCOPES_OF.values())
    assert of_roles | OWN_SCOPES == set(SCOPE_OF.values())
    assert not of_roles & OWN_SCOPES


@pytest.mark.parametrize("effect", sorted(set(Effect) - FOR_EVERYBODY))
def test_without_a_scope_nothing_is_allowed(effect: Effect) -> None:
    for resource in (SERVER, Resource("sales", hidden)):
        with pytest.raises(WorkflowPermissionError, match=SCOPE_OF[effect]):
            authorize(NOBODY, effect, resource)
    with pytest.raises(WorkflowPermissionError):
        teams_within(NOBODY, effect)


@pytest.mark.parametrize("effect", sorted(Effect))
def test_this_machines_user_may_do_everything(effect: Effect) -> None:
    for resource in (SERVER, Resource("sales"), Resource(None)):
        authorize(BOSS, effect, resource)


@pytest.mark.parametrize("team", ["ops", None, "", "*", "Sales", "sales "])
def test_another_team_is_told_by_its_whole_name(team: str | None) -> None:
    mia = member("owner", "sales")
    authorize(mia, Effect.RUN_START, Resource("sales"))
    with pytest.raises(WorkflowPermissionError):
        authorize(mia, Effect.RUN_START, Resource(team))
    with pytest.raises(WorkflowNotFoundError):
        authorize(mia, Effect.RUN_START, Resource(team, hidden))


def test_who_is_in_no_team_sees_none() -> None:
    alone = Actor("alone", Role.VIEWER, frozenset(), SCOPES_OF[Role.VIEWER])
    assert teams_within(alone, Effect.DATASET_READ) == frozenset()
    assert teams_within(BOSS, Effect.DATASET_READ) is None


@pytest.mark.parametrize(
    ("less", "more"), [("viewer", "operator"), ("operator", "owner"), ("owner", "admin")]
)
def test_each_role_may_what_the_one_below_may(less: str, more: str) -> None:
    assert permission.SCOPES_OF[Role(less)] < permission.SCOPES_OF[Role(more)]
