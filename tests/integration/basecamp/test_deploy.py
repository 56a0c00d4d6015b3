"""Dashboard and alerts in deploy/ ask for what a server exposes, in PromQL that is sound."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

DEPLOY = Path(__file__).parents[3] / "deploy"
PAGE = Path(__file__).parents[3] / "docs" / "operations.md"
OF_PROMETHEUS = {"up"}
GRAFANA_WORDS = {"$__rate_interval": "5m", "$job": "basecamp"}


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def panels() -> list[dict[str, Any]]:
    board = json.loads((DEPLOY / "grafana" / "basecamp.json").read_text())
    found: list[dict[str, Any]] = board["panels"]
    return found


def questions() -> Iterator[tuple[str, str]]:
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield f"{panel['title']}, {target['refId']}", target["expr"]


QUESTIONS = dict(questions())


def selectors(text: str) -> list[promql_parser.VectorSelector]:
    for word, value in GRAFANA_WORDS.items():
        text = text.replace(word, value)
    found: list[promql_parser.VectorSelector] = []

    def take(part: Any) -> bool:
        if isinstance(part, promql_parser.MatrixSelector):
            part = part.vector_selector
        if isinstance(part, promql_parser.VectorSelector):
            found.append(part)
        return True

    promql_parser.walk(promql_parser.parse(text), take)
    return found


@pytest.fixture(scope="module")
def exposed(module_site: Any) -> set[str]:
    """Names of all time series that a server has, also of those without a value yet."""
    names: set[str] = set()
    text = module_site.get("/metrics").text
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        endings = ("_bucket", "_count", "_sum") if kind == "histogram" else ("",)
        names |= {name + ending for ending in endings}
    return names


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_about_figures_that_a_server_exposes(
    question: str, exposed: set[str]
) -> None:
    asked = {selector.name for selector in selectors(QUESTIONS[question])}
    assert asked
    assert asked - exposed - OF_PROMETHEUS == set()


def test_every_figure_of_ours_is_on_the_dashboard(exposed: set[str]) -> None:
    shown = {
        selector.name
        for panel in panels()
        for target in panel["targets"]
        for selector in selectors(target["expr"])
    }
    ours = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exposed if "basecamp" in name}
    assert ours - {re.sub(r"_(bucket|count|sum)$", "", str(name)) for name in shown} == set()


def test_the_page_for_operators_tells_of_every_alert_and_every_figure(exposed: set[str]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    figures = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exposed if "basecamp" in name}
    described = set(re.findall(r"^\| `(basecamp_\w+)`", page, re.MULTILINE))
    assert described == figures
    assert set(re.findall(r"^\| `(Basecamp\w+)`", page, re.MULTILINE)) == {
        rule["alert"] for rule in alerts()
    }


def test_each_alert_says_how_bad_it_is_and_what_has_happened() -> None:
    for rule in alerts():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"].endswith(".")


def test_each_panel_has_a_place_and_a_number_of_its_own() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()}
    assert len(places) == len(panels())
