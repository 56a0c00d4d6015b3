"""Checking all specs of one kind in a project; what has been found right is not checked again."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dli.specs.graph import Graph
from dli.specs.validation_cache import CheckedSpec, Contents, Pass, ValidationCache, values_of

if TYPE_CHECKING:
    from dli.specs.catalogue import Entry
    from dli.specs.project import Project

__all__ = ["Verdict", "Verdicts", "validate_project"]


@dataclass(frozen=True)
class Verdict:
    """What is wrong and what is doubtful with one spec."""

    name: str
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Verdicts:
    """One verdict per usable spec of the kind, in the order of names; `problems` are why files are
    left out, whatever they were to be.
    """

    specs: list[Verdict]
    problems: list[str] = field(default_factory=list)


def validate_project(
    root: Path, kind: Literal["Dataset", "Metric"], *, check_deps: bool = False
) -> Verdicts:
    """As `validate_dataset` and `validate_metric` for every spec of the kind.

    Only specs with a change in their files, in what their templates have asked for, in the settings
    of the project or in this program are read and checked.

    Raises: as `Project.open`.
    """
    cache = ValidationCache.read(root.resolve())
    if cache.is_complete:
        specs = sorted(cache.specs.values(), key=lambda spec: spec.name)
        memory = _Memory(specs, cache.sources, check_deps=check_deps)
        known = [memory.verdict(spec) for spec in specs if spec.kind == kind]
        if None not in known:
            return Verdicts([verdict for verdict in known if verdict is not None])
    return _checked(cache, root, kind, check_deps=check_deps)


class _Memory:
    """What earlier checks are still worth among the names of now."""

    def __init__(
        self,
        specs: "Iterable[CheckedSpec | Entry]",
        sources: Iterable[str],
        *,
        check_deps: bool,
    ) -> None:
        needs = {spec.name: spec.needs for spec in specs}
        self._names = {*needs, *sources}
        self._check_deps = check_deps
        self._circle = Graph(needs).circle if check_deps else []

    def verdict(self, spec: CheckedSpec | None) -> Verdict | None:
        found = None if spec is None else spec.holds(self._names)
        if spec is None or found is None or not self._is_fed(spec, found):
            return None
        return Verdict(spec.name, warnings=found.warnings)

    def _is_fed(self, spec: CheckedSpec, found: Pass) -> bool:
        if not self._check_deps:
            return True
        return spec.name not in self._circle and self._names.issuperset((*spec.needs, *found.asked))


def _checked(cache: ValidationCache, root: Path, kind: str, *, check_deps: bool) -> Verdicts:
    from dli.specs.project import Project

    project = Project.open(root, known=cache.specs)
    sources = [source.table for source in project.sources]
    entries = project.entries()
    memory = _Memory(entries, sources, check_deps=check_deps)
    contents = Contents(project.root)
    specs = {e.label: cache.specs.get(e.label) or _read_spec(e, contents) for e in entries}
    has_gates = any(spec.has_gate for spec in specs.values() if spec is not None)
    tests = _TestFiles(project, contents) if has_gates else None
    verdicts = []
    for entry in entries:
        if entry.kind != kind:
            continue
        spec = specs[entry.label]
        verdict = memory.verdict(spec)
        if verdict is None:
            verdict, passed = _examined(project, entry, check_deps=check_deps)
            specs[entry.label] = spec and _if_unchanged(spec, passed, entry, contents)
        verdicts.append(verdict)
    if tests is None or tests.are_unchanged():
        places, found = project.config.discovery.places, {} if tests is None else tests.contents
        kept = {label: spec for label, spec in specs.items() if spec is not None}
        cache.write(places, sources, found, kept)
    return Verdicts(verdicts, [str(problem) for problem in project.problems])


class _TestFiles:
    """The quality files that gates take their tests from, as they were read."""

    def __init__(self, project: "Project", contents: Contents) -> None:
        self._of_tests = partial(contents.of_tests, project.config.discovery.places)
        before = self._of_tests({})
        files, _ = project.qualities
        named = {f.label: [test.file for test in f.spec.tests if test.file] for f in files}
        self.contents = self._of_tests(named)
        own = {label: {"": found[""]} for label, found in self.contents.items()}
        self._is_read_whole = own == before

    def are_unchanged(self) -> bool:
        return self._is_read_whole and self._of_tests(self.contents) == self.contents


def _read_spec(entry: "Entry", contents: Contents) -> CheckedSpec | None:
    """What the file of an entry says; None when one of its files has gone meanwhile."""
    document, spec = entry.file.document, entry.file.spec
    assert spec.spec_path is not None  # it was read from a file
    files = contents.of_files(spec.spec_path, entry.sql_files)
    found = {file: content for file, content in files.items() if content is not None}
    if len(found) < len(files):
        return None
    gate = getattr(spec, "quality", None)
    return CheckedSpec(
        entry.name,
        entry.kind,
        list(entry.needs),
        document.digest,
        found,
        has_gate=gate is not None and gate.gate,
    )


def _examined(
    project: "Project", entry: "Entry", *, check_deps: bool
) -> tuple[Verdict, Pass | None]:
    from dli.specs.validator import examine

    found = examine(project, entry.name, check_deps=check_deps)
    values = values_of(found.variables)
    passed = Pass(found.asked, found.variables, values, found.warnings)
    return Verdict(entry.name, found.errors, found.warnings), None if found.errors else passed


def _if_unchanged(
    spec: CheckedSpec, passed: Pass | None, entry: "Entry", contents: Contents
) -> CheckedSpec | None:
    """What was read while a file changed says nothing about that file."""
    is_same = _read_spec(entry, contents) == replace(spec, passed=None)
    return replace(spec, passed=passed) if is_same else None
