"""`QualityAPI`: the quality tests of datasets and metrics."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dli.api.argument import check_text
from dli.api.engine import LocalEngine
from dli.api.facade import Facade
from dli.api.project import find_root, open_project
from dli.exceptions import DLIValidationError, ErrorCode, MetricNotFoundError
from dli.models.dq import DqStatus
from dli.models.dq_entry import entry
from dli.models.instant import utc_now
from dli.models.quality import DqQualityResult, QualityInfo, QualitySpec, QualityTargetType
from dli.warehouse.verdict import Verdicts, infos_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dli.api.remote_quality import RemoteQuality
    from dli.models.common import ExecutionContext, ValidationResult
    from dli.models.dataset import DatasetSpec
    from dli.models.metric import MetricSpec
    from dli.models.quality import DqTestDefinitionSpec
    from dli.specs.project import Project
    from dli.warehouse.examination import Surroundings
    from dli.warehouse.executor import QueryExecutor

__all__ = ["QualityAPI"]

_NO_EXECUTOR = "Local executor not configured"


class QualityAPI(Facade):
    """In LOCAL mode tests come from the project's files, and run on `executor` or its warehouse;
    in SERVER mode they are those registered on the server, and run there.
    """

    def __init__(
        self, context: ExecutionContext | None = None, executor: QueryExecutor | None = None
    ) -> None:
        super().__init__(context)
        self._executor = executor
        self._opened: Project | None = None
        self._engine = LocalEngine(self._project, executor)

    def list_qualities(
        self,
        target_type: str | None = None,
        target_name: str | None = None,
        status: str | None = None,
    ) -> list[QualityInfo]:
        """Tests; `target_type` and `status` are exact, `target_name` is a part of the name."""
        if self._is_mock:
            found = _samples()
        elif self._is_server:
            found = self._remote().qualities(target_name)
        else:
            found = self._from_files()
        return [
            info
            for info in found
            if target_type in (None, info.target_type)
            and status in (None, info.status)
            and (target_name or "") in info.target_name
        ]

    def get(self, name: str) -> QualityInfo | None:
        """One test, `None` when nobody knows the name."""
        check_text(name=name)
        if self._is_server:
            return self._remote().quality(name)
        return next((info for info in self.list_qualities() if info.name == name), None)

    def get_spec(self, spec_path: str | Path) -> QualitySpec:
        """A quality file; the path is looked for in `project_path`, then in the working directory.

        Raises: QualitySpecNotFoundError (601), QualitySpecParseError (602).
        """
        spec, _ = self._read(spec_path)
        return spec

    def validate(
        self, spec_path: str | Path, *, strict: bool = False, tests: list[str] | None = None
    ) -> ValidationResult:
        """Problems of a quality file; nothing is run. `tests` are names that it must have.

        Raises: QualitySpecNotFoundError (601), QualitySpecParseError (602).
        """
        from dli.specs.quality import check_quality

        spec, unknown = self._read(spec_path)
        found = check_quality(spec, tests=tests)
        warnings = unknown + found.warnings
        errors = found.errors + (warnings if strict else [])
        return found.model_copy(
            update={"valid": not errors, "errors": errors, "warnings": warnings}
        )

    def run(
        self,
        spec_path: str | Path,
        *,
        tests: list[str] | None = None,
        parameters: dict[str, Any] | None = None,
        fail_fast: bool = False,
    ) -> DqQualityResult:
        """Run the tests of a quality file; all that look at single rows share one scan.

        `parameters` are values for the `params` of the tests, `ds` and `execution_date`.
        Raises: QualitySpecNotFoundError (601), QualitySpecParseError (602),
        QualityTargetNotFoundError (603), DLIValidationError (204) for an unknown name in `tests`
        or `parameters`, ExecutionError (401-403).
        """
        from dli.specs.quality import unknown_tests

        spec, _ = self._read(spec_path)
        if unknown := unknown_tests(spec, tests or ()):
            message = f"tests: the spec has no test of these names: {', '.join(unknown)}"
            raise DLIValidationError(message, ErrorCode.PARAMETER_INVALID)
        if self._is_server:
            return self._run_on_server(spec, spec_path, tests or (), parameters or {}, fail_fast)
        selected = [test for test in spec.tests if not tests or test.name in tests]
        given = parameters or {}
        started_at = utc_now()
        if self._is_mock:
            results = [entry(test, spec, DqStatus.PASS) for test in selected]
        elif not self._has_engine():
            failed = {"error_message": _NO_EXECUTOR}
            results = [entry(test, spec, DqStatus.ERROR, **failed) for test in selected]
        else:
            results = self._examined(spec, spec_path, selected, given, fail_fast=fail_fast)
        result = DqQualityResult(
            target_urn=spec.target_urn,
            execution_mode=self.context.execution_mode.value,
            started_at=started_at,
            finished_at=utc_now(),
            test_results=results,
        )
        if self._is_kept():
            Verdicts(self._project().root).keep(result)
        return result

    def register(
        self, spec_path: str | Path, *, name: str | None = None, force: bool = False
    ) -> None:
        """Send a quality file to the server, which keeps it as a new version.

        Its `name` is by default that of the file, `quality.NAME.yaml`.
        Raises: QualitySpecNotFoundError (601), QualitySpecParseError (602), ServerError
        (status_code 409 for a name that exists, without `force`).
        """
        from dli.specs.quality import spec_name

        spec, _ = self._read(spec_path)
        if self._is_mock:
            return
        name = name or spec_name(self._place(spec_path), spec)
        self._remote().register(self._bundled(spec, spec_path), name=name, force=force)

    def get_history(self, name: str) -> list[dict[str, Any]]:
        """The last results of a test on the project's warehouse, or the server's, newest first.

        Each has `finished_at` and, of `test_results`, name, type, severity, status, failed rows and
        error.
        """
        if self._is_server:
            check_text(name=name)
            return self._remote().history(name)
        found = self.get(name)
        if found is None or not self._is_kept():
            return []
        return Verdicts(self._project().root).history(found.target_urn, name)

    def _is_kept(self) -> bool:
        """Results of the project's own warehouse; what an injected executor says stays with it."""
        is_local = not self._is_mock and not self._is_server
        return is_local and self._executor is None and find_root(self.context) is not None

    def _read(self, spec_path: str | Path) -> tuple[QualitySpec, list[str]]:
        from dli.specs.quality import read_quality

        return read_quality(self._place(spec_path))

    def _place(self, spec_path: str | Path) -> Path:
        """Absolute, else under `project_path`, else in the working directory."""
        path = Path(spec_path)
        roots = [root for root in (self.context.project_path, Path()) if root is not None]
        places = [root / path for root in roots]
        return next((place for place in places if place.is_file()), path)

    def _has_engine(self) -> bool:
        return self._executor is not None or find_root(self.context) is not None

    def _examined(
        self,
        spec: QualitySpec,
        spec_path: str | Path,
        tests: Sequence[DqTestDefinitionSpec],
        given: Mapping[str, Any],
        *,
        fail_fast: bool,
    ) -> list[dict[str, Any]]:
        from dli.warehouse.examination import Examination

        project = None if find_root(self.context) is None else self._project()
        folder = self._place(spec_path).resolve().parent
        examination = Examination(spec, tests, given, self._around(spec, folder, project))
        return self._engine.read(
            lambda reader: examination.results(reader, fail_fast=fail_fast),
            dialect=examination.dialect,
            timeout_s=None if project is None else project.defaults.timeout_seconds,
        )

    def _around(self, spec: QualitySpec, folder: Path, project: Project | None) -> Surroundings:
        from dli.specs.quality import read_sql_file
        from dli.specs.template import RenderContext
        from dli.warehouse.examination import Surroundings

        name, root = spec.target.name, folder if project is None else project.root
        return Surroundings(
            context=RenderContext(
                logical_date=datetime.now(UTC).date(),
                variables={} if project is None else project.variables,
                known_names=() if project is None else project.names,
            ),
            dialect=self.context.dialect if project is None else project.defaults.dialect,
            target=None if project is None else _target_of(spec, project),
            is_known=project is not None and name in project.names,
            defaults=self.context.parameters,
            read_file=lambda file: read_sql_file(folder, root, file),
            casts_values=self._executor is not None,
        )

    def _run_on_server(
        self,
        spec: QualitySpec,
        spec_path: str | Path,
        tests: Sequence[str],
        given: Mapping[str, Any],
        fail_fast: bool,  # noqa: FBT001 - passed on
    ) -> DqQualityResult:
        declared = {name for test in spec.tests for name in test.params}
        defaults = {k: v for k, v in self.context.parameters.items() if k in declared}
        bundle = self._bundled(spec, spec_path)
        return self._remote().run(bundle, tests, {**defaults, **given}, fail_fast=fail_fast)

    def _bundled(self, spec: QualitySpec, spec_path: str | Path) -> QualitySpec:
        """With the SQL of its files inside."""
        from dli.specs.quality import bundled_quality

        folder = self._place(spec_path).resolve().parent
        root = find_root(self.context)
        return bundled_quality(spec, folder, folder if root is None else root)

    def _remote(self) -> RemoteQuality:
        from dli.api.remote_quality import RemoteQuality

        return RemoteQuality(self.context)

    def _from_files(self) -> list[QualityInfo]:
        project = self._project()
        verdicts = Verdicts(project.root)
        files, _ = project.qualities
        return [info for file in files for info in infos_of(file.spec, verdicts)]

    def _project(self) -> Project:
        if self._opened is None:
            self._opened = open_project(self.context)
        return self._opened


def _target_of(spec: QualitySpec, project: Project) -> DatasetSpec | MetricSpec | None:
    """The project's spec of what is tested."""
    if spec.target.type is QualityTargetType.DATASET:
        return project.datasets().get(spec.target.name)
    try:
        return project.bundled(project.metric(spec.target.name))
    except MetricNotFoundError:
        return None


def _samples() -> list[QualityInfo]:
    from dli.client.fake.quality import SAMPLE_QUALITIES

    return [QualityInfo.model_validate(sample) for sample in SAMPLE_QUALITIES]
