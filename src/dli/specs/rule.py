"""What a spec must fulfil beyond the types of its keys."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from dli.exceptions import ErrorCode
from dli.models.dataset import DatasetSpec
from dli.models.metric import MetricSpec
from dli.models.spec import QueryParameter, QueryType, SpecType, StatementDefinition
from dli.specs.cron import schedule_problems
from dli.specs.document import Place
from dli.specs.name import NAME_RULE, is_name
from dli.specs.parameter import coerce, unfillable
from dli.specs.quality_rule import test_problems

__all__ = ["DIALECTS", "FUNCTION_NAMES", "Finding", "Folder", "broken_rules"]

DIALECTS = ("trino", "bigquery", "snowflake", "duckdb", "spark")
FUNCTION_NAMES = frozenset({"var", "env_var", "date_add", "date_sub", "ref", "source"})

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUERY_TYPES = {SpecType.DATASET: QueryType.DML, SpecType.METRIC: QueryType.SELECT}


class Finding(NamedTuple):
    """One thing wrong with a spec, and where."""

    place: Place
    message: str
    code: ErrorCode = ErrorCode.SPEC_INVALID


class Folder(NamedTuple):
    """Where a spec's SQL files are looked up: relative to `base`, never outside `root`."""

    base: Path
    root: Path
    patterns: Sequence[str]

    def problem(self, file: str) -> str | None:
        """Why this file cannot be used."""
        if not any(fnmatchcase(Path(file).name, pattern) for pattern in self.patterns):
            return f"does not match {' or '.join(self.patterns)} (discovery.sql_patterns)"
        try:
            path = (self.base / file).resolve()
            if not path.is_relative_to(self.root):
                return "leads out of the project"
            return None if path.is_file() else "does not exist"
        except (OSError, ValueError):
            return "is not a usable path"


def broken_rules(spec: DatasetSpec | MetricSpec, folder: Folder | None) -> Iterator[Finding]:
    """Everything wrong with a spec whose keys have the right types.

    Without a folder the spec must carry its SQL itself.
    """
    yield from _identity(spec)
    yield from _main_statement(spec, folder)
    yield from _parameters(spec.parameters)
    yield from _execution(spec)
    if isinstance(spec, DatasetSpec):
        for key in ("pre_statements", "post_statements"):
            yield from _statements(key, getattr(spec, key), folder)
        yield from _schedule(spec)
        yield from _gate(spec, folder)


def _identity(spec: DatasetSpec | MetricSpec) -> Iterator[Finding]:
    if not is_name(spec.name):
        yield Finding(("name",), f"name: {NAME_RULE}")
    for key in ("owner", "team"):
        if not getattr(spec, key).strip():
            yield Finding((key,), f"{key}: must not be empty")
    for number, name in enumerate(spec.depends_on):
        if not is_name(name):
            yield Finding(("depends_on", number), f"depends_on: {NAME_RULE}")
    if spec.query_type is not _QUERY_TYPES[spec.type]:
        wanted = _QUERY_TYPES[spec.type].value
        yield Finding(("query_type",), f"query_type: a {spec.type.value} has {wanted}")


def _main_statement(spec: DatasetSpec | MetricSpec, folder: Folder | None) -> Iterator[Finding]:
    if spec.query_statement is not None and spec.query_file is not None:
        yield Finding(("query_file",), "give query_statement or query_file, not both")
    elif spec.query_file is not None:
        yield from _file(("query_file",), spec.query_file, folder)


def _statements(
    key: str, statements: list[StatementDefinition], folder: Folder | None
) -> Iterator[Finding]:
    for number, statement in enumerate(statements):
        if (statement.sql is None) == (statement.file is None):
            yield Finding((key, number), f"{key}: each statement needs sql or file, not both")
        elif statement.file is not None:
            yield from _file((key, number, "file"), statement.file, folder)


def _file(place: Place, file: str, folder: Folder | None) -> Iterator[Finding]:
    problem = (
        "cannot be read here; write the SQL itself" if folder is None else folder.problem(file)
    )
    if problem:
        yield Finding(place, f"{place[-1]}: the file {problem}")


def _parameters(parameters: list[QueryParameter]) -> Iterator[Finding]:
    seen = set[str]()
    for number, parameter in enumerate(parameters):
        place = ("parameters", number, "name")
        if not _IDENTIFIER.fullmatch(parameter.name):
            yield Finding(place, "parameters: a name is made of ASCII letters, digits and '_'")
        elif parameter.name in FUNCTION_NAMES:
            yield Finding(place, f"parameters: '{parameter.name}' is a template function")
        elif parameter.name in seen:
            yield Finding(place, f"parameters: '{parameter.name}' is declared twice")
        seen.add(parameter.name)
        if parameter.default is not None:
            try:
                coerce(parameter.type, parameter.default)
            except ValueError as error:
                yield Finding(("parameters", number, "default"), f"parameters: default {error}")


def _execution(spec: DatasetSpec | MetricSpec) -> Iterator[Finding]:
    for key, least in (("timeout_seconds", 1), ("retry_count", 0), ("retry_delay_seconds", 0)):
        if getattr(spec.execution, key) < least:
            yield Finding(("execution", key), f"execution.{key}: must be at least {least}")
    if spec.execution.dialect not in DIALECTS:
        place = ("execution", "dialect")
        yield Finding(place, f"execution.dialect: must be one of {', '.join(DIALECTS)}")


def _schedule(spec: DatasetSpec) -> Iterator[Finding]:
    if spec.schedule is None:
        return
    for key, error in schedule_problems(spec.schedule.cron, spec.schedule.timezone):
        yield Finding(("schedule", key), error.message, error.code)
    if missing := unfillable(spec.parameters):
        yield Finding(
            ("schedule",),
            f"schedule: required parameters without default: {', '.join(missing)}",
            ErrorCode.WORKFLOW_REGISTRATION_FAILED,
        )


def _gate(spec: DatasetSpec, folder: Folder | None) -> Iterator[Finding]:
    tests = [] if spec.quality is None else spec.quality.tests
    if tests and folder is not None:
        message = f"quality.tests: tests belong in a quality file, quality.{spec.name}.yaml"
        yield Finding(("quality", "tests"), message)
        return
    for number, test in enumerate(tests):
        place = ("quality", "tests", number)
        if test.file is not None:
            yield from _file((*place, "file"), test.file, folder)
        for problem in test_problems(test):
            yield Finding(place, f"quality: test '{test.name}': {problem}")
