"""Quality files: read strictly, and checked without running anything."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dli.exceptions import (
    DLIValidationError,
    QualitySpecNotFoundError,
    QualitySpecParseError,
)
from dli.models.common import ValidationResult
from dli.models.quality import DqTestDefinitionSpec, QualitySpec
from dli.specs.cron import schedule_problems
from dli.specs.discovery import label_of, quality_files
from dli.specs.document import Document, Plain, read_document, typed
from dli.specs.parser import check_depth, unknown_keys, validated
from dli.specs.project_file import Discovery
from dli.specs.quality_rule import DECLARED_KEYS, HAS_BOUNDS, idle_keys, test_problems
from dli.specs.refusal import refused

__all__ = [
    "QualityFile",
    "bundled_quality",
    "bundled_test",
    "check_quality",
    "quality_from_mapping",
    "read_qualities",
    "read_quality",
    "read_sql_file",
    "require_sound",
    "spec_name",
    "unknown_tests",
]

_MAX_SQL_BYTES = 1024 * 1024

_TESTS = "tests"


def read_quality(path: Path) -> tuple[QualitySpec, list[str]]:
    """The spec of a file, and a warning for every key that it does not know.

    Raises: QualitySpecNotFoundError (601), QualitySpecParseError (602) with the line.
    """
    if not path.is_file():
        message = "Quality spec not found"
        raise QualitySpecNotFoundError(message, spec_path=str(path))
    try:
        document = read_document(path, path.name)
        spec = validated(QualitySpec, _given(document.data), document)
    except DLIValidationError as error:
        line = re.match(rf"{re.escape(path.name)}:([0-9]+):", error.message)
        raise QualitySpecParseError(
            error.message,
            details={"errors": error.errors},
            spec_path=str(path),
            line=int(line[1]) if line else None,
        ) from None
    return spec, list(_unknown(document))


def quality_from_mapping(data: Mapping[str, Any]) -> QualitySpec:
    """A spec that came as a value, such as the body of a request, with all its SQL inside.

    Raises: QualitySpecParseError (602); like its `details["errors"]`, it names places in the spec
    by keys and numbers of ours, and repeats nothing of it.
    """
    document = Document("spec", dict(data))
    try:
        check_depth(document, document.data)
        spec = validated(QualitySpec, document.data, document)
    except DLIValidationError as error:
        raise QualitySpecParseError(error.message, details=error.details) from None
    for place, _ in unknown_keys(QualitySpec, document.data):
        raise _unusable(place[:-1], "a key is not known")
    for number, test in enumerate(spec.tests):
        if test.file is not None:
            raise _unusable((_TESTS, number), "its SQL is in a file; send it in sql")
    return spec


def require_sound(spec: QualitySpec) -> None:
    """Refuse a sent spec of which a test cannot run. Raises: as `quality_from_mapping`."""
    seen = set[str]()
    for number, test in enumerate(spec.tests):
        if test.name in seen:
            raise _unusable((_TESTS, number), "its name is given twice")
        seen.add(test.name)
        for problem in test_problems(test):
            raise _unusable((_TESTS, number), problem)


def _unusable(place: Sequence[str | int], problem: str) -> QualitySpecParseError:
    where = ".".join(map(str, place)) or "the spec"
    pointer = "".join(f"/{part}" for part in place)
    message = f"{where}: {problem}"
    errors = [{"pointer": pointer, "message": message}]
    return QualitySpecParseError(message, details={"errors": errors})


def spec_name(path: Path, spec: QualitySpec) -> str:
    """What the spec of a file is called: as its file, else as its target."""
    found = re.fullmatch(r"quality\.(.+)\.yaml", path.name)
    return found[1] if found else spec.target.name


def bundled_quality(spec: QualitySpec, folder: Path, root: Path) -> QualitySpec:
    """A copy with the SQL of its files inside. Raises: DLIValidationError DLI-203."""
    return spec.model_copy(update={"tests": [bundled_test(t, folder, root) for t in spec.tests]})


def bundled_test(test: DqTestDefinitionSpec, folder: Path, root: Path) -> DqTestDefinitionSpec:
    """A test with the SQL of its file inside. Raises: DLIValidationError DLI-203."""
    if test.file is None or test.sql is not None:
        return test.model_copy(update={"file": None})
    try:
        sql = read_sql_file(folder, root, test.file)
    except DLIValidationError as error:
        raise refused(f"test '{test.name}': {error.message}") from None
    return test.model_copy(update={"sql": sql, "file": None})


@dataclass(frozen=True, slots=True)
class QualityFile:
    """`label` is the path relative to the project."""

    label: str
    spec: QualitySpec


def read_qualities(root: Path, discovery: Discovery) -> tuple[list[QualityFile], list[str]]:
    """The quality files of a project in the order of their paths, and why others are left out."""
    files, problems = [], []
    for path in quality_files(root, discovery.places):
        label = label_of(path, root)
        if not path.resolve().is_relative_to(root):
            problems.append(f"{label}: the link leads out of the project")
            continue
        try:
            files.append(QualityFile(label, read_quality(path)[0]))
        except QualitySpecParseError as error:
            problems.append(f"{path.parent.relative_to(root).as_posix()}/{error.message}")
    return files, problems


def read_sql_file(folder: Path, root: Path, file: str) -> str:
    """The SQL of a test, from a file relative to its quality file and inside the project.

    Raises: DLIValidationError DLI-203.
    """
    try:
        path = (folder / file).resolve()
        if not path.is_relative_to(root.resolve()):
            raise refused("file: leads out of the project")
        with path.open("rb") as stream:
            content = stream.read(_MAX_SQL_BYTES + 1)
        if len(content) > _MAX_SQL_BYTES:
            raise refused("file: larger than 1 MiB")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refused("file: not UTF-8 text") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise refused(f"file: cannot be read: {reason}") from None


def unknown_tests(spec: QualitySpec, names: Sequence[str]) -> list[str]:
    """Those of `names` that no test of the spec has."""
    known = {test.name for test in spec.tests}
    return [name for name in names if name not in known]


def check_quality(spec: QualitySpec, *, tests: Sequence[str] | None = None) -> ValidationResult:
    """Problems of a spec; `tests` are names that it must have."""
    warnings = []
    if spec.version != 1:
        warnings.append(f"version {spec.version} is not known; 1 is expected")
    if not spec.tests:
        warnings.append("there are no tests")
    errors = [f"tests: there is no test '{name}'" for name in unknown_tests(spec, tests or ())]
    if spec.schedule is not None:
        problems = schedule_problems(spec.schedule.cron, spec.schedule.timezone)
        errors += [f"schedule: {error.message}" for _, error in problems]
    seen = set[str]()
    for test in spec.tests:
        if test.name in seen:
            errors.append(f"test '{test.name}': this name is given twice")
        seen.add(test.name)
        errors += [f"test '{test.name}': {problem}" for problem in test_problems(test)]
        warnings += [f"test '{test.name}': {doubt}" for doubt in idle_keys(test)]
        if test.type in HAS_BOUNDS and test.min is None and test.max is None:
            warnings.append(f"test '{test.name}': without min and max it always passes")
    return ValidationResult(valid=not errors, errors=errors, warnings=warnings)


def _unknown(document: Document) -> Iterator[str]:
    for place, message in unknown_keys(QualitySpec, document.data):
        yield f"{document.at(place)}: {message}"


def _given(value: Any, place: tuple[str | int, ...] = ()) -> Any:
    """The values a model reads: empty keys left out, free-form places typed, the rest as text."""
    if isinstance(value, dict):
        return {k: _given(v, (*place, k)) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_given(item, (*place, number)) for number, item in enumerate(value)]
    is_free = len(place) > 2 and place[0] == _TESTS and place[2] not in DECLARED_KEYS
    if is_free:
        return typed(value)
    return str(value) if isinstance(value, Plain) else value
