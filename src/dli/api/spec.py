"""What `DatasetAPI` and `MetricAPI` have in common: finding specs, and turning them into SQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from dli.api.argument import check_list_source, check_text
from dli.api.column import known_columns
from dli.api.engine import LocalEngine
from dli.api.facade import Facade
from dli.api.project import find_root, open_project
from dli.api.registry import Registry
from dli.api.server import connect
from dli.exceptions import (
    ConfigurationError,
    DatasetNotFoundError,
    MetricNotFoundError,
    ServerError,
)
from dli.models.common import ValidationResult
from dli.models.dataset import DatasetSpec
from dli.models.metric import MetricSpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dli.api.filter import SpecFilter
    from dli.models.common import DataSource, ExecutionContext
    from dli.specs.project import Project
    from dli.specs.statement import Statement
    from dli.specs.template import RenderContext
    from dli.warehouse.executor import QueryExecutor

__all__ = ["NO_ENGINE", "SpecFacade"]

NO_ENGINE = "Executor not configured: give one, or set project_path to a project with a warehouse"

Spec = TypeVar("Spec", DatasetSpec, MetricSpec)


class SpecFacade(Facade, Generic[Spec]):
    """In LOCAL mode statements run on `executor`, else on the project's own warehouse.

    Every method raises DLIValidationError (204) for arguments that cannot be meant, and
    DatasetNotFoundError (101) or MetricNotFoundError (102) for a name that the project has not.
    """

    _kind: ClassVar[type[DatasetSpec | MetricSpec]]

    def __init__(
        self, context: ExecutionContext | None = None, executor: QueryExecutor | None = None
    ) -> None:
        super().__init__(context)
        self._executor = executor
        self._opened: Project | None = None
        self._engine = LocalEngine(self._project, executor)

    def get(self, name: str) -> Spec | None:
        """The spec of this name, `None` when nobody knows it.

        Raises: DLIValidationError (203) when the file of this name cannot be used.
        """
        check_text(name=name)
        if self._is_mock:
            return None
        if self._is_server and not self._has_project():
            record = self._registry().spec(name)
            return None if record is None else self._read(record)
        try:
            return self._spec(name)
        except (DatasetNotFoundError, MetricNotFoundError):
            return None

    def get_registered(self, name: str) -> Spec:
        """The newest spec of this name on the server, whatever the project has.

        Raises: ServerError (501-503).
        """
        check_text(name=name)
        record = None if self._is_mock else self._registry().spec(name)
        if record is None:
            raise self._not_registered(name)
        return self._read(record)

    def validate(
        self, name: str, *, strict: bool = False, check_deps: bool = False
    ) -> ValidationResult:
        """Every problem of a spec and its SQL as one text each, also an unknown name."""
        check_text(name=name)
        if self._is_mock:
            return ValidationResult(valid=True)
        from dli.specs.validator import validate_dataset, validate_metric

        check = validate_dataset if self._kind is DatasetSpec else validate_metric
        return check(self._project(), name, strict=strict, check_deps=check_deps)

    def register(self, name: str, *, force: bool = False) -> None:
        """Send the project's spec to the server, which keeps it as a new version.

        Raises: ServerError (status_code 409 for a name that exists, without `force`).
        """
        check_text(name=name)
        if not self._is_mock:
            self._registry().register(_record(self._bundle(name)), force=force)

    def get_versions(self, name: str) -> list[dict[str, Any]]:
        """Registered versions, newest first: version, spec_hash, registered_by, created_at.

        Raises: ServerError (501-503).
        """
        check_text(name=name)
        if self._is_mock:
            return []
        found = self._registry().versions(name)
        if found is None:
            raise self._not_registered(name)
        return found

    def diff(self, name: str) -> str:
        """How the project's spec differs from the registered one, as a unified diff of YAML.

        Raises: ServerError (501-503).
        """
        check_text(name=name)
        if self._is_mock:
            return ""
        local = _record(self._bundle(name))
        from dli.specs.difference import difference

        known = _record(self.get_registered(name))
        return difference(known, local, titles=("registered", "project"))

    def get_tables(self, name: str) -> list[str]:
        """Tables that the main statement reads, without names of CTEs."""
        check_text(name=name)
        if self._is_mock:
            return []
        from dli.specs.sql import tables_read

        spec = self._bundle(name)
        return tables_read(self._sample_sql(spec), spec.execution.dialect)

    def get_columns(self, name: str) -> list[str]:
        """Output columns of the main statement; `*` is written out as far as tables are known."""
        check_text(name=name)
        if self._is_mock:
            return []
        from dli.specs.column import has_star, result_columns
        from dli.specs.sql import tables_read

        spec = self._bundle(name)
        sql, dialect = self._sample_sql(spec), spec.execution.dialect
        if not has_star(sql, dialect):
            return result_columns(sql, dialect)
        tables = tables_read(sql, dialect)
        known = known_columns(tables, self._project().datasets(), self._engine)
        return result_columns(sql, dialect, known)

    def test_connection(self) -> bool:
        """Whether the engine (LOCAL) or the server (SERVER) answers; never an exception."""
        if self._is_mock:
            return True
        if not self._is_server:
            return self._engine.answers()
        try:
            with connect(self.context) as client:
                # The health call needs no token, the list does.
                return client.health_check().success and client.workflow_list(limit=1).success
        except ConfigurationError:
            return False

    def _list(self, path: Path | None, source: DataSource, wanted: SpecFilter) -> list[Spec]:
        """Specs in the order of their names."""
        check_list_source(source, path)
        if self._is_mock:
            return []
        if source == "server":
            specs = [self._read(record) for record in self._registry().specs()]
            return [spec for spec in specs if wanted.fits(spec)]
        project = self._project() if path is None else open_project(self.context, path)
        return [spec for spec in self._all(project) if wanted.fits(spec)]

    def _all(self, project: Project) -> list[Spec]:
        raise NotImplementedError

    def _spec(self, name: str) -> Spec:
        raise NotImplementedError

    def _registry(self) -> Registry:
        return Registry(self.context, "dataset" if self._kind is DatasetSpec else "metric")

    def _read(self, record: dict[str, Any]) -> Spec:
        """A spec of the server. Raises: ServerError (503) for what is none."""
        try:
            return self._kind.model_validate(record)  # type: ignore[return-value]
        except ValueError as error:
            raise ServerError("The server's spec cannot be read") from error

    def _not_registered(self, name: str) -> DatasetNotFoundError | MetricNotFoundError:
        message = "The server knows no spec of this name; register it first"
        kind = DatasetNotFoundError if self._kind is DatasetSpec else MetricNotFoundError
        error = kind(message, name=name, searched_paths=["the server"])
        noun = "dataset" if self._kind is DatasetSpec else "metric"
        error.add_note(f"Send the project's spec with `dli {noun} register {name}`.")
        return error

    def _bundle(self, name: str) -> Spec:
        """The spec with all its SQL files inside."""
        return self._project().bundled(self._spec(name))

    def _project(self) -> Project:
        if self._opened is None:
            self._opened = open_project(self.context)
        return self._opened

    def _has_project(self) -> bool:
        return find_root(self.context) is not None

    def _has_engine(self) -> bool:
        return self._executor is not None or self._has_project()

    def _sample_sql(self, spec: Spec) -> str:
        """The main statement, with samples for what nobody gives."""
        from dli.specs.parameter import samples
        from dli.specs.statement import main_sql

        return main_sql(self._render(spec, {**samples(spec.parameters), **self._defaults(spec)}))

    def _defaults(self, spec: Spec) -> dict[str, Any]:
        declared = {parameter.name for parameter in spec.parameters}
        return {k: v for k, v in self.context.parameters.items() if k in declared}

    def _render(self, spec: Spec, parameters: Mapping[str, Any] | None) -> list[Statement]:
        from dli.specs.statement import render_spec

        return render_spec(spec, self._render_context(), self._values(spec, parameters))

    def _render_context(self) -> RenderContext:
        from dli.specs.template import RenderContext

        has_project = self._has_project()
        return RenderContext(
            logical_date=datetime.now(UTC).date(),
            variables=self._project().variables if has_project else {},
            known_names=self._project().names if has_project else (),
        )

    def _values(self, spec: Spec, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
        """What was given, over the context's values for what the spec declares."""
        return {**self._defaults(spec), **(parameters or {})}


def _record(spec: DatasetSpec | MetricSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True)
