"""The transpile rules and metrics of a project, each by the name that it replaces."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from dli.exceptions import ErrorCode, TranspileError
from dli.models.transpile import MetricDefinition, RuleType
from dli.specs.project_file import RuleEntry

__all__ = ["Rules"]


@dataclass(frozen=True)
class Rules:
    """What to replace: tables by rules, `METRIC(name)` by rules or definitions."""

    rules: Sequence[RuleEntry] = ()
    metrics: Sequence[MetricDefinition] = ()

    def only(self, *, tables: bool, metrics: bool) -> "Rules":
        """Those of the kinds that are wanted."""
        if tables and metrics:
            return self
        wanted = {RuleType.TABLE_SUBSTITUTION} if tables else set()
        wanted |= {RuleType.METRIC_EXPANSION} if metrics else set()
        rules = [rule for rule in self.rules if rule.type in wanted]
        return Rules(rules, self.metrics if metrics else ())

    @cached_property
    def tables(self) -> dict[str, RuleEntry]:
        """Enabled table rules by their source in lower case, the highest priority of each.

        Raises: TranspileError DLI-303 when two of one priority say different things.
        """
        found: dict[str, RuleEntry] = {}
        for rule in self._enabled(RuleType.TABLE_SUBSTITUTION):
            source = rule.source.lower()
            other = found.setdefault(source, rule)
            if other.priority == rule.priority and other.target != rule.target:
                raise TranspileError(
                    f"rules '{other.id}' and '{rule.id}' replace the same table differently",
                    code=ErrorCode.RULE_CONFLICT,
                )
        return found

    @cached_property
    def table_words(self) -> frozenset[str]:
        """What comes after the last dot of each of `tables`."""
        return frozenset(name.rpartition(".")[2] for name in self.tables)

    @cached_property
    def expressions(self) -> dict[str, RuleEntry]:
        """A rule for every metric, by its name in lower case; rules go before definitions."""
        defined = (
            RuleEntry(
                id=metric.name,
                type=RuleType.METRIC_EXPANSION,
                source=metric.name,
                target=metric.expression,
                description=metric.description,
            )
            for metric in self.metrics
        )
        found: dict[str, RuleEntry] = {}
        for rule in (*self._enabled(RuleType.METRIC_EXPANSION), *defined):
            found.setdefault(rule.source.lower(), rule)
        return found

    def definition(self, name: str) -> MetricDefinition | None:
        """What `METRIC(name)` stands for, in any case of the name."""
        word = name.lower()
        for rule in self._enabled(RuleType.METRIC_EXPANSION):
            if rule.source.lower() == word:
                return MetricDefinition(
                    name=rule.source, expression=rule.target, description=rule.description
                )
        return next((metric for metric in self.metrics if metric.name.lower() == word), None)

    def _enabled(self, kind: RuleType) -> list[RuleEntry]:
        rules = [rule for rule in self.rules if rule.enabled and rule.type is kind]
        return sorted(rules, key=lambda rule: -rule.priority)
