"""Questions about what quality tests find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.models.dataset import DatasetSpec
from dli.models.instant import utc_now
from dli.models.metric import MetricSpec
from dli.models.quality import DqQualityResult, QualitySpec, QualityTargetType
from dli.warehouse.examination import Examination, Surroundings
from dli.warehouse.limit import time_limit
from dli.warehouse.reader import Reader
from dli.warehouse.verdict import Verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from basecamp.engines.embedded.desk import Desk


def run(desk: Desk, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Run the tests of a spec, all or those named; `target` is the spec of what is tested.

    The results are kept, without samples: they make the score in the catalog.
    """
    spec = QualitySpec.model_validate(arguments["spec"])
    named = arguments["tests"]
    tests = [test for test in spec.tests if not named or test.name in named]
    started_at = utc_now()
    project = desk.project()
    with desk.rendering():
        examination = Examination(
            spec, tests, arguments["parameters"], _around(desk, spec, arguments["target"])
        )
    with desk.session() as session, time_limit(session, project.defaults.timeout_seconds):
        reader = Reader(session, examination.dialect)
        results = examination.results(reader, fail_fast=arguments["fail_fast"])
    result = DqQualityResult(
        target_urn=spec.target_urn,
        execution_mode="server",
        execution_id=arguments["execution_id"],
        started_at=started_at,
        finished_at=utc_now(),
        test_results=results,
    )
    Verdicts(project.root).keep(result)
    return result.model_dump(mode="json")


def _around(desk: Desk, spec: QualitySpec, target: Mapping[str, Any] | None) -> Surroundings:
    kind = DatasetSpec if spec.target.type is QualityTargetType.DATASET else MetricSpec
    return Surroundings(
        context=desk.render_context(),
        dialect=desk.project().defaults.dialect,
        target=None if target is None else kind.model_validate(target),
        is_known=target is not None,
        executed_on="server",
    )
