"""Settings of identity providers are read strictly; a job that is not pinned is refused."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from basecamp.services.membership import Grant, Memberships
from basecamp.services.permission import SCOPES_OF, Role
from basecamp.settings import Settings
from dli.exceptions import ConfigurationError

PROJECT = Path("/project")
PEOPLE = {
    "BASECAMP_OIDC_ISSUER": "https://login.example.com/realms/acme",
    "BASECAMP_OIDC_CLIENT_ID": "basecamp",
    "BASECAMP_OIDC_GROUPS": '{"eng": {"role": "owner", "teams": ["sales"]}}',
}
JOB: dict[str, Any] = {
    "name": "ci",
    "issuer": "https://token.actions.githubusercontent.com",
    "audience": "basecamp",
    "claims": {"repository": "acme/pipelines", "ref": "refs/heads/main"},
}


def test_every_variable_of_people_is_read() -> None:
    settings = Settings.from_env(
        PEOPLE
        | {
            "BASECAMP_OIDC_CLIENT_SECRET": "canary-of-a-secret",
            "BASECAMP_OIDC_GROUPS_CLAIM": "roles",
            "BASECAMP_OIDC_NAME_CLAIM": "preferred_username",
            "BASECAMP_OIDC_SCOPES": "openid roles",
            "BASECAMP_OIDC_REDIRECT_PORT": "8400",
            "BASECAMP_OIDC_SESSION_HOURS": "2",
        },
        project=PROJECT,
    )
    people = settings.people
    assert people is not None
    assert people.issuer == PEOPLE["BASECAMP_OIDC_ISSUER"]
    assert people.client_secret == "canary-of-a-secret"
    assert "canary" not in repr(settings)
    assert (people.groups_claim, people.name_claim) == ("roles", "preferred_username")
    assert people.scopes == ("openid", "roles")
    assert (people.redirect_port, people.session_hours) == (8400, 2)
    assert settings.destinations.hosts >= {"login.example.com"}
    assert Settings.from_env({}, project=PROJECT).people is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ISSUER", "http://login.example.com"),
        ("ISSUER", "https://u:p@login.example.com"),
        ("ISSUER", "login"),
        ("CLIENT_ID", ""),
        ("GROUPS", ""),
        ("GROUPS", "{"),
        ("GROUPS", "[1]"),
        ("GROUPS", '{"eng": "owner"}'),
        ("SCOPES", "email"),
        ("SESSION_HOURS", "25"),
    ],
)
def test_a_wrong_value_of_people_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"BASECAMP_OIDC_{name}"):
        Settings.from_env(PEOPLE | {f"BASECAMP_OIDC_{name}": value}, project=PROJECT)


def test_settings_without_an_issuer_are_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="BASECAMP_OIDC_ISSUER"):
        Settings.from_env({"BASECAMP_OIDC_CLIENT_ID": "basecamp"}, project=PROJECT)


def test_jobs_are_read() -> None:
    env = {"BASECAMP_WORKLOADS": json.dumps([JOB, JOB | {"name": "cd", "teams": ["sales"]}])}
    ci, cd = Settings.from_env(env, project=PROJECT).workloads
    assert (ci.name, ci.audience, ci.teams) == ("ci", "basecamp", ("*",))
    assert (cd.name, cd.teams) == ("cd", ("sales",))


@pytest.mark.parametrize(
    "change",
    [
        {"claims": {"repository": "acme/pipelines"}},
        {"claims": {"ref": "refs/heads/main"}},
        {"claims": {}},
        {"claims": {"ref": "refs/heads/main", "repository": 7}},
        {"issuer": "http://ci.example.com"},
        {"audience": ""},
        {"name": "../x"},
        {"teams": []},
        {"branch": "main"},
    ],
)
def test_a_job_that_another_could_pass_for_is_refused(change: dict[str, Any]) -> None:
    env = {"BASECAMP_WORKLOADS": json.dumps([JOB | change])}
    with pytest.raises(ConfigurationError, match="BASECAMP_WORKLOADS"):
        Settings.from_env(env, project=PROJECT)


def test_what_the_page_on_identity_shows_is_accepted() -> None:
    page = (Path(__file__).parents[4] / "docs" / "identity.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```shell\n(BASECAMP_.*?)^```", page, re.DOTALL | re.MULTILINE)
    env = dict(word.split("=", 1) for block in blocks for word in shlex.split(block))
    settings = Settings.from_env(env, project=PROJECT)
    assert settings.people is not None
    assert Memberships(settings.people.groups).of("sales-data") is not None
    assert settings.workloads


GROUPS: dict[str, dict[str, Any]] = {
    "admins": {"role": "admin"},
    "sales-eng": {"role": "owner", "teams": ["sales"]},
    "ops-eng": {"role": "owner", "teams": ["ops"]},
    "everybody": {"role": "viewer", "teams": ["*"]},
    "release": {"role": "viewer", "teams": ["sales"], "also": ["code:publish"]},
}


@pytest.mark.parametrize(
    ("groups", "role", "teams"),
    [
        (["everybody", "sales-eng"], "owner", ("sales",)),
        (["ops-eng", "sales-eng", "other"], "owner", ("ops", "sales")),
        (["admins", "everybody"], "admin", ("*",)),
        ("everybody", "viewer", ("*",)),
        (["everybody", "release"], "viewer", ("*",)),
    ],
)
def test_the_first_group_of_the_map_decides(groups: Any, role: str, teams: tuple[str, ...]) -> None:
    kind = Role(role)
    scopes = tuple(sorted(SCOPES_OF[kind]))
    assert Memberships(GROUPS).of(groups) == Grant(kind, teams, scopes)


@pytest.mark.parametrize("groups", [None, [], "Everybody", 7, [["admins"]], {"admins": 1}])
def test_who_is_in_no_group_may_nothing(groups: Any) -> None:
    assert Memberships(GROUPS).of(groups) is None


@pytest.mark.parametrize(
    "given",
    [
        {"role": "emperor"},
        {"role": "owner"},
        {"role": "owner", "teams": "sales"},
        {"role": "admin", "teams": ["sales"]},
        {"role": "viewer", "teams": ["sales"], "also": ["token:admin"]},
        {"role": "viewer", "teams": ["sales"], "more": []},
    ],
)
def test_a_group_without_a_role_that_exists_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="BASECAMP_OIDC_GROUPS"):
        Memberships({"eng": given})
