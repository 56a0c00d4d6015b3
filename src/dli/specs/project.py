"""A project on disk: its settings, its specs, and the files that cannot be used."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from dli.exceptions import (
    ConfigurationError,
    DatasetNotFoundError,
    DLIValidationError,
    ErrorCode,
    MetricNotFoundError,
)
from dli.models.dataset import DatasetSpec
from dli.models.metric import MetricSpec
from dli.models.quality import DqTestDefinitionSpec, QualityTarget, QualityTargetType
from dli.models.spec import SpecBase, StatementDefinition
from dli.specs.catalogue import Catalogue, Entry, Known, Problem, read_catalogue
from dli.specs.graph import Graph
from dli.specs.parser import SpecFile
from dli.specs.project_file import (
    Defaults,
    Environment,
    ProjectFile,
    SourceDefinition,
    read_project_file,
)
from dli.specs.quality import QualityFile, bundled_test, read_qualities
from dli.specs.refusal import refused

__all__ = ["Problem", "Project"]

MAX_SQL_BYTES = 1024 * 1024

Spec = TypeVar("Spec", bound=SpecBase)


class Project:
    """Reads `dli.yaml` when opened, and the specs on first use; a bad spec file stops nothing."""

    def __init__(
        self,
        root: Path,
        config: ProjectFile,
        environment: str,
        warnings: list[str],
        known: Mapping[str, Known] | None = None,
    ) -> None:
        self.root = root
        self.config = config
        self.environment_name = environment
        self.warnings = warnings
        self._known = known or {}

    @classmethod
    def open(
        cls,
        root: Path,
        env: Mapping[str, str] | None = None,
        *,
        known: Mapping[str, Known] | None = None,
    ) -> "Project":
        """Open the project in this directory; `env` replaces the environment variables.

        Files that are `known` by their label are usable, and are read only when they are needed.
        Raises: ConfigurationError DLI-001, 003 (no such directory); ConfigNotFoundError DLI-002.
        """
        env = os.environ if env is None else env
        if not root.is_dir():
            raise ConfigurationError(
                "The project directory does not exist",
                code=ErrorCode.PROJECT_NOT_FOUND,
                config_path=root,
            )
        environment = env.get("DLI_ENV") or "dev"
        config, warnings = read_project_file(root, env, environment)
        return cls(root.resolve(), config, environment, warnings, known)

    @property
    def environment(self) -> Environment:
        """The current environment; empty when `dli.yaml` does not name it."""
        return self.config.environments.get(self.environment_name) or Environment()

    @property
    def variables(self) -> dict[str, Any]:
        """What `var()` reads."""
        return self.environment.variables

    @property
    def defaults(self) -> Defaults:
        return self.config.defaults

    @property
    def sources(self) -> list[SourceDefinition]:
        return self.config.sources

    @cached_property
    def _catalogue(self) -> Catalogue:
        return read_catalogue(self.root, self.config, self._known)

    @property
    def problems(self) -> list[Problem]:
        """Why spec files are left out."""
        return self._catalogue.problems

    def datasets(self) -> dict[str, DatasetSpec]:
        """The usable datasets by name, in the order of names."""
        return self._specs(DatasetSpec)

    def metrics(self) -> dict[str, MetricSpec]:
        """The usable metrics by name, in the order of names."""
        return self._specs(MetricSpec)

    def _specs(self, kind: type[Spec]) -> dict[str, Spec]:
        specs = ((entry.name, entry.file.spec) for entry in self.entries())
        return {name: spec for name, spec in specs if isinstance(spec, kind)}

    def entries(self) -> list[Entry]:
        """The usable spec files in the order of names."""
        return [entry for _, entry in sorted(self._catalogue.entries.items())]

    def dataset(self, name: str) -> DatasetSpec:
        """The dataset of this name.

        Raises: DatasetNotFoundError DLI-101; DLIValidationError when its file cannot be used.
        """
        spec = self._spec(name)
        if not isinstance(spec, DatasetSpec):
            raise DatasetNotFoundError(
                "Dataset not found", name=name, searched_paths=self._searched("datasets_dir")
            )
        return spec

    def metric(self, name: str) -> MetricSpec:
        """The metric of this name.

        Raises: MetricNotFoundError DLI-102; DLIValidationError when its file cannot be used.
        """
        spec = self._spec(name)
        if not isinstance(spec, MetricSpec):
            searched = self._searched("metrics_dir", "datasets_dir")
            raise MetricNotFoundError("Metric not found", name=name, searched_paths=searched)
        return spec

    def _spec(self, name: str) -> DatasetSpec | MetricSpec | None:
        entry = self._catalogue.entries.get(name)
        if entry is None and name in self._catalogue.broken:
            raise self._catalogue.broken[name]
        return None if entry is None else entry.file.spec

    def _searched(self, *keys: str) -> list[str]:
        return [str(self.root / getattr(self.config.discovery, key)) for key in keys]

    @cached_property
    def names(self) -> frozenset[str]:
        """What `depends_on` and `ref` may name: usable specs and sources."""
        sources = (source.table for source in self.sources)
        return frozenset((*self._catalogue.entries, *sources))

    @cached_property
    def graph(self) -> Graph:
        """Which specs need which, as their `depends_on` say."""
        return Graph({name: entry.needs for name, entry in self._catalogue.entries.items()})

    def file(self, name: str) -> SpecFile:
        """The spec file of a usable name, with the lines of its keys."""
        return self._catalogue.entries[name].file

    def bundle(self, name: str) -> DatasetSpec:
        """The dataset with all its SQL and gate tests inside: all that a server or worker needs.

        Raises: as `dataset`; DLIValidationError DLI-203 for a SQL file that cannot be read.
        """
        return self.bundled(self.dataset(name))

    def bundled(self, spec: Spec) -> Spec:
        """A copy of a spec of this project with its SQL files and the tests of its gate inside.

        Raises: DLIValidationError DLI-203 for a file that cannot be read.
        """
        inlined: dict[str, Any] = {}
        if spec.query_file is not None:
            inlined = {"query_statement": self._sql(spec, spec.query_file), "query_file": None}
        if isinstance(spec, DatasetSpec):
            for key in ("pre_statements", "post_statements"):
                inlined[key] = [self._inlined(spec, one) for one in getattr(spec, key)]
            if spec.quality is not None and spec.quality.gate:
                tests = self._gate_tests(spec.name)
                inlined["quality"] = spec.quality.model_copy(update={"tests": tests})
        return spec.model_copy(update=inlined)

    def _inlined(self, spec: SpecBase, statement: StatementDefinition) -> StatementDefinition:
        if statement.file is None:
            return statement
        sql = self._sql(spec, statement.file)
        return statement.model_copy(update={"sql": sql, "file": None})

    @cached_property
    def qualities(self) -> tuple[list[QualityFile], list[str]]:
        """The usable quality files, and why others are left out."""
        return read_qualities(self.root, self.config.discovery)

    def _gate_tests(self, name: str) -> list[DqTestDefinitionSpec]:
        """The tests of a dataset with their SQL inside.

        Raises: DLIValidationError DLI-203, also for a quality file that cannot be read: it may hold
        tests of this dataset, and a gate must not lose one.
        """
        files, problems = self.qualities
        if problems:
            raise refused(f"quality: gate: {problems[0]}")
        target = QualityTarget(type=QualityTargetType.DATASET, name=name)
        return [
            self._gate_test(test, file)
            for file in files
            if file.spec.target == target
            for test in file.spec.tests
        ]

    def _gate_test(self, test: DqTestDefinitionSpec, file: QualityFile) -> DqTestDefinitionSpec:
        try:
            return bundled_test(test, (self.root / file.label).parent, self.root)
        except DLIValidationError as error:
            raise refused(f"{file.label}: {error.message}") from None

    def sql_label(self, spec: SpecBase, file: str) -> str:
        """How messages name a SQL file of this spec."""
        path = os.path.relpath(_path(spec, file), self.root)
        return Path(path).as_posix()

    def _sql(self, spec: SpecBase, file: str) -> str:
        try:
            path = _path(spec, file).resolve()
            # Looked at again: the file may have become a link since the spec was read.
            if not path.is_relative_to(self.root):
                raise ValueError("leads out of the project")
            with path.open("rb") as stream:
                content = stream.read(MAX_SQL_BYTES + 1)
            if len(content) > MAX_SQL_BYTES:
                raise ValueError("is larger than 1 MiB")
            return content.decode("utf-8-sig")
        except (OSError, ValueError) as error:
            raise refused(f"{self.sql_label(spec, file)}: {_reason(error)}") from None


def _path(spec: SpecBase, file: str) -> Path:
    assert spec.base_dir is not None  # a spec of a project comes from a file
    return spec.base_dir / file


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "is not UTF-8 text"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or type(error).__name__}"
    return str(error)
