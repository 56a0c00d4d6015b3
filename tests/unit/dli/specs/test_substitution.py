"""What `METRIC(name)` stands for among the rules and metrics of a project."""

import pytest

from dli.models.transpile import MetricDefinition, RuleType
from dli.specs.project_file import RuleEntry
from dli.specs.substitution import Rules


def metric_rule(source: str, target: str, priority: int = 0, *, enabled: bool = True) -> RuleEntry:
    return RuleEntry(
        id=f"{source}-{priority}",
        type=RuleType.METRIC_EXPANSION,
        source=source,
        target=target,
        priority=priority,
        enabled=enabled,
    )


RULES = Rules(
    rules=[
        metric_rule("Paid", "SUM(a)"),
        metric_rule("paid", "SUM(b)", 5),
        metric_rule("gone", "SUM(c)", enabled=False),
        RuleEntry(id="t", type=RuleType.TABLE_SUBSTITUTION, source="table", target="other"),
    ],
    metrics=[
        MetricDefinition(name="paid", expression="SUM(d)"),
        MetricDefinition(name="gone", expression="SUM(e)", description="kept"),
    ],
)


@pytest.mark.parametrize(
    ("name", "expression"), [("paid", "SUM(b)"), ("PAID", "SUM(b)"), ("gone", "SUM(e)")]
)
def test_enabled_rules_go_before_definitions_the_highest_priority_first(
    name: str, expression: str
) -> None:
    found = RULES.definition(name)
    assert found is not None
    assert found.expression == expression
    assert RULES.expressions[name.lower()].target == expression


@pytest.mark.parametrize("name", ["table", "other", ""])
def test_a_name_that_stands_for_nothing(name: str) -> None:
    assert RULES.definition(name) is None
