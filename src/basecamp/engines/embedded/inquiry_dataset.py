"""Questions about datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from basecamp.engines.embedded.job import Job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from basecamp.engines.embedded.desk import Desk


def check(desk: Desk, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The SQL of a run; with `bind` each statement is also bound on the warehouse."""
    job = Job(desk, arguments, None, desk.rendering())
    return {"statements": job.check(bind=arguments["bind"])}
