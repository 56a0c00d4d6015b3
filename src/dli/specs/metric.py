"""A metric spec and the values of a request turned into the query to execute."""

from collections.abc import Mapping
from typing import Any

from dli.models.metric import MetricSpec
from dli.specs.statement import render_spec
from dli.specs.template import RenderContext

__all__ = ["render_metric"]


def render_metric(
    spec: MetricSpec, context: RenderContext, parameters: Mapping[str, Any] | None = None
) -> str:
    """The query of a metric that carries its SQL itself, in the dialect of the spec.

    Raises: DLIValidationError 204, 203 (also for SQL that does not only read), 202.
    """
    (statement,) = render_spec(spec, context, parameters)
    return statement.sql
