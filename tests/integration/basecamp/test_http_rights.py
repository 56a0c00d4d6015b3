"""Every route for every role on its own team's, another team's and nobody's things."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from basecamp.auth import PUBLIC
from desk import answering
from dli.specs.dataset import Statement
from dli.specs.project import Project
from dli.warehouse.connection import warehouse_of
from dli.warehouse.dataset import run_statements

OWN, OTHER = "shop.sales.own", "shop.ops.other"
NOBODYS, UNKNOWN = "shop.raw.nobodys", "shop.no.such"
TEAMS = {OWN: "sales", OTHER: "ops", UNKNOWN: "sales"}
API = "/api/v1"

READ = {"viewer", "operator", "owner", "admin"}
OPERATE = READ - {"viewer"}
WRITE = {"owner", "admin"}
ADMIN = {"admin"}
AUDIT = {"admin", "auditor"}
PUBLISH = {"publisher"}
SQL = {"analyst"}
EVERYBODY = {"viewer", "operator", "owner", "admin", "auditor", "publisher", "analyst"}
EVERYWHERE = {"admin"}

_number = count()


@dataclass(frozen=True)
class Cell:
    """Who may use a route, with what; `other` is the answer about another team's things."""

    who: set[str]
    body: Callable[["Place", str], Any] = lambda _place, _name: None
    path: Callable[["Place", str], str] | None = None
    other: int = 404
    is_named: bool = True
    is_list: bool = False


def listed(who: set[str] = READ) -> Cell:
    return Cell(who, is_named=False, is_list=True)


def on_server(who: set[str], body: Callable[["Place", str], Any] = lambda _p, _n: None) -> Cell:
    return Cell(who, body, is_named=False)


def table_spec(name: str, **more: Any) -> dict[str, Any]:
    spec = {"name": name, "owner": "ana@example.com", "team": TEAMS[name], **more}
    return {"query_statement": "SELECT 1 AS n", **spec}


def metric_spec(name: str) -> dict[str, Any]:
    measures = [{"name": "rows", "expression": "count(*)", "aggregation": "count"}]
    return table_spec(name, type="Metric", query_type="SELECT", metrics=measures)


def quality_spec(name: str) -> dict[str, Any]:
    tests = [{"name": f"n_{TEAMS[name]}", "type": "not_null", "columns": ["n"]}]
    return {
        "target": {"type": "dataset", "name": name},
        "metadata": {"owner": "ana@example.com"},
        "tests": tests,
    }


def fresh_run(place: "Place", name: str) -> str:
    return str(place.site.post(f"{API}/workflows/{name}/run", {}).body.get("run_id", "none"))


def fresh_token(place: "Place", _name: str) -> str:
    body = {"name": f"t{next(_number)}", "role": "viewer", "teams": ["sales"]}
    return str(place.site.post(f"{API}/tokens", body).body["token_id"])


def register_body(_: "Place", name: str) -> Any:
    return {"dataset_name": name, "cron": "0 6 * * *", "spec": table_spec(name), "force": True}


def days(_: "Place", __: str) -> Any:
    return {"start_date": "2026-01-01", "end_date": "2026-01-01"}


def of_run(path: str) -> Callable[["Place", str], str]:
    return lambda place, name: path.format(run_id=fresh_run(place, name))


def of_token(path: str) -> Callable[["Place", str], str]:
    return lambda place, name: path.format(token_id=fresh_token(place, name))


RUN = f"{API}/workflows/runs/{{run_id}}"
TOKEN = f"{API}/tokens/{{token_id}}"

ROUTES: dict[tuple[str, str], Cell] = {
    ("GET", f"{API}/workflows"): listed(),
    ("GET", f"{API}/workflows/history"): listed(),
    ("GET", f"{API}/workflows/{{dataset_name}}"): Cell(READ),
    ("POST", f"{API}/workflows/register"): Cell(WRITE, register_body, other=403),
    ("DELETE", f"{API}/workflows/{{dataset_name}}"): Cell(WRITE),
    ("POST", f"{API}/workflows/{{dataset_name}}/pause"): Cell(OPERATE),
    ("POST", f"{API}/workflows/{{dataset_name}}/unpause"): Cell(OPERATE),
    ("POST", f"{API}/workflows/{{dataset_name}}/run"): Cell(OPERATE, lambda *_: {}),
    ("POST", f"{API}/workflows/{{dataset_name}}/backfill"): Cell(OPERATE, days),
    ("GET", RUN): Cell(READ, path=of_run(RUN)),
    ("GET", f"{RUN}/logs"): Cell(READ, path=of_run(f"{RUN}/logs")),
    ("POST", f"{RUN}/stop"): Cell(OPERATE, path=of_run(f"{RUN}/stop")),
    ("POST", f"{API}/workflows/publish"): on_server(
        PUBLISH, lambda *_: {"specs": [], "dry_run": True}
    ),
    ("GET", f"{API}/datasets"): listed(),
    ("POST", f"{API}/datasets"): Cell(
        WRITE, lambda _, name: {"spec": table_spec(name), "force": True}, other=403
    ),
    ("GET", f"{API}/datasets/{{name}}"): Cell(READ),
    ("GET", f"{API}/datasets/{{name}}/versions"): Cell(READ),
    ("POST", f"{API}/datasets/{{name}}/run"): Cell(OPERATE),
    ("GET", f"{API}/metrics"): listed(),
    ("POST", f"{API}/metrics"): Cell(
        WRITE, lambda _, name: {"spec": metric_spec(name), "force": True}, other=403
    ),
    ("GET", f"{API}/metrics/{{name}}"): Cell(READ),
    ("GET", f"{API}/metrics/{{name}}/versions"): Cell(READ),
    ("POST", f"{API}/metrics/{{name}}/run"): Cell(READ),
    ("POST", f"{API}/sql/run"): on_server(SQL, lambda *_: {"sql": "SELECT 1"}),
    ("GET", f"{API}/quality"): listed(),
    ("POST", f"{API}/quality"): Cell(
        WRITE, lambda _, name: {"spec": quality_spec(name), "force": True}, other=403
    ),
    ("GET", f"{API}/quality/{{name}}"): Cell(
        READ, path=lambda _, name: f"{API}/quality/dataset:{name}:n_{TEAMS[name]}"
    ),
    ("GET", f"{API}/quality/{{name}}/history"): Cell(
        READ, path=lambda _, name: f"{API}/quality/dataset:{name}:n_{TEAMS[name]}/history"
    ),
    ("GET", f"{API}/quality/{{name}}/versions"): Cell(READ),
    ("POST", f"{API}/quality/run"): Cell(WRITE, lambda _, name: {"spec": quality_spec(name)}),
    ("POST", f"{API}/quality/tests/run"): Cell(
        WRITE,
        lambda _, name: {
            "resource_name": name,
            "test_name": "n",
            "test_type": "not_null",
            "columns": ["n"],
        },
    ),
    ("POST", f"{API}/quality/{{name}}/run"): Cell(OPERATE),
    ("GET", f"{API}/catalog/tables"): listed(),
    ("GET", f"{API}/catalog/search"): Cell(
        READ, path=lambda *_: f"{API}/catalog/search?keyword=shop", is_named=False, is_list=True
    ),
    ("GET", f"{API}/catalog/tables/{{ref}}"): Cell(READ),
    ("GET", f"{API}/catalog/tables/{{ref}}/queries"): Cell(READ),
    ("GET", f"{API}/lineage/{{name}}"): Cell(READ),
    ("GET", f"{API}/lineage/{{name}}/columns"): Cell(READ),
    ("GET", f"{API}/transpile/rules"): on_server(READ),
    ("GET", f"{API}/transpile/metrics/{{name}}"): Cell(
        READ, path=lambda *_: f"{API}/transpile/metrics/revenue", is_named=False
    ),
    ("GET", f"{API}/audit"): on_server(AUDIT),
    ("GET", f"{API}/audit/chain"): on_server(AUDIT),
    ("GET", f"{API}/tokens"): on_server(ADMIN),
    ("POST", f"{API}/tokens"): on_server(
        ADMIN, lambda *_: {"name": f"n{next(_number)}", "role": "viewer", "teams": ["sales"]}
    ),
    ("POST", f"{TOKEN}/rotate"): Cell(ADMIN, path=of_token(f"{TOKEN}/rotate"), is_named=False),
    ("POST", f"{TOKEN}/revoke"): Cell(ADMIN, path=of_token(f"{TOKEN}/revoke"), is_named=False),
    ("POST", f"{API}/session"): on_server(EVERYBODY),
    ("DELETE", f"{API}/session"): on_server(EVERYBODY),
    ("GET", f"{API}/health/extended"): on_server(EVERYBODY),
    ("GET", f"{API}/openapi.json"): on_server(EVERYBODY),
    ("GET", "/metrics"): on_server(EVERYBODY),
}


@dataclass
class Place:
    """A server with things of two teams, and a token of each kind for the team of sales."""

    site: Any
    tokens: dict[str, str]

    def mend(self, name: str) -> None:
        """What an earlier cell may have removed is there again."""
        if name != UNKNOWN and self.site.get(f"{API}/workflows/{name}").status != 200:
            assert (
                self.site.post(f"{API}/workflows/register", register_body(self, name)).status < 300
            )

    def send(self, role: str, method: str, template: str, name: str) -> Any:
        cell = ROUTES[method, template]
        self.mend(name)
        path = cell.path(self, name) if cell.path else _filled(template, name)
        return self.site.request(method, path, cell.body(self, name), token=self.tokens[role])


def _filled(template: str, name: str) -> str:
    for field in ("{dataset_name}", "{name}", "{ref}", "{run_id}", "{token_id}"):
        template = template.replace(field, name)
    return template


@pytest.fixture(scope="module")
def place(module_site: Any) -> Place:
    site = module_site
    root: Path = site.settings.project
    rules = "transpile: {metrics: [{name: revenue, expression: SUM(n), source_table: t}]}"
    sources = f"sources: [{{table: {NOBODYS}, path: nobodys.csv}}]"
    (root / "dli.yaml").write_text(f"{sources}\n{rules}\n")
    (root / "nobodys.csv").write_text("n\n1\n")
    with warehouse_of(Project.open(root)) as warehouse, warehouse.session() as session:
        for name in (OWN, OTHER):
            sql = f"CREATE TABLE {name} AS SELECT 1 AS n"
            assert run_statements(session, [Statement("main", None, sql)], dialect="duckdb").success
    site.engine.asked = answering(root)
    made = Place(site, {})
    for name in (OWN, OTHER):
        made.mend(name)
        assert site.post(f"{API}/datasets", {"spec": table_spec(name)}).status == 201
        assert site.post(f"{API}/metrics", {"spec": metric_spec(name)}).status == 201
        assert site.post(f"{API}/quality", {"spec": quality_spec(name)}).status == 201
    for role in ("viewer", "operator", "owner", "admin", "auditor"):
        teams = [] if role in ("admin", "auditor") else ["sales"]
        made.tokens[role] = token(site, role, role=role, teams=teams)
    only = {"role": "viewer", "teams": ["*"], "scopes": []}
    made.tokens["publisher"] = token(site, "publisher", also=["code:publish"], **only)
    made.tokens["analyst"] = token(site, "analyst", also=["sql:run"], **only)
    return made


def token(site: Any, name: str, **body: Any) -> str:
    answer = site.post(f"{API}/tokens", {"name": name, **body})
    assert answer.status == 201, answer.text
    return str(answer.body["token"])


def test_every_route_has_a_row(place: Place) -> None:
    paths = place.site.get(f"{API}/openapi.json").body["paths"]
    routed = {(method.upper(), path) for path, item in paths.items() for method in item}
    assert routed - PUBLIC == ROUTES.keys()


NAMED = [key for key, cell in ROUTES.items() if cell.is_named]


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize(("method", "template"), ROUTES)
def test_a_role_may_what_it_may(place: Place, method: str, template: str, role: str) -> None:
    cell = ROUTES[method, template]
    answer = place.send(role, method, template, OWN)
    if role in cell.who:
        assert answer.status < 400 or answer.status == 409, answer.text
    else:
        assert (answer.status, answer.body["code"]) == (403, "DLI-803"), answer.text


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize(("method", "template"), NAMED)
def test_what_is_another_teams_looks_as_if_it_were_not_there(
    place: Place, method: str, template: str, role: str
) -> None:
    cell = ROUTES[method, template]
    answer = place.send(role, method, template, OTHER)
    if role in EVERYWHERE:
        assert answer.status < 400 or answer.status == 409, answer.text
        return
    assert answer.status == (cell.other if role in cell.who else 403), answer.text
    if answer.status == 404:
        unknown = place.send(role, method, template, UNKNOWN)
        assert {**answer.body, "request_id": ""} == {**unknown.body, "request_id": ""}


@pytest.mark.parametrize("role", ["viewer", "operator", "owner"])
@pytest.mark.parametrize(("method", "template"), [k for k, c in ROUTES.items() if c.is_list])
def test_a_list_holds_and_counts_what_is_of_the_team(
    place: Place, method: str, template: str, role: str
) -> None:
    fresh_run(place, OWN)
    fresh_run(place, OTHER)
    answer = place.send(role, method, template, OWN)
    assert answer.status == 200
    assert OWN in answer.text
    assert OTHER not in answer.text
    assert NOBODYS not in answer.text
    whole = place.send("admin", method, template, OWN).body["total_count"]
    assert 0 < answer.body["total_count"] < whole


def test_a_table_that_nobody_makes_is_for_who_is_everywhere(place: Place) -> None:
    path = f"{API}/catalog/tables/{NOBODYS}"
    statuses = {
        role: place.site.get(path, token=place.tokens[role]).status for role in ("owner", "admin")
    }
    assert statuses == {"owner": 404, "admin": 200}
