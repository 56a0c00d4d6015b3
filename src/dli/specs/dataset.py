"""A dataset spec and the values of a run turned into the statements to execute."""

from collections.abc import Mapping
from typing import Any

from dli.models.dataset import DatasetSpec
from dli.specs.statement import Phase, Statement, render_spec
from dli.specs.template import RenderContext

__all__ = ["Phase", "Statement", "render_dataset"]


def render_dataset(
    spec: DatasetSpec, context: RenderContext, parameters: Mapping[str, Any] | None = None
) -> list[Statement]:
    """The statements of one run, pre, main and post, of a spec that carries its SQL itself.

    `ds` or `execution_date` among the parameters move the run to that day.
    Raises: DLIValidationError 204, 203, 202 with the part of the spec and the line.
    """
    return render_spec(spec, context, parameters)
