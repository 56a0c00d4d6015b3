"""Answers of a worker, given in this process: the real code on a project's real warehouse."""

import atexit
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from basecamp.engines.embedded.desk import Desk
from basecamp.engines.embedded.inquiry import SUBJECTS
from basecamp.engines.embedded.workshop import Workshop


def answering(project: Path) -> Callable[..., dict[str, Any]]:
    """A function that answers questions by their subject as the worker of this project would."""
    workshop = Workshop(project, {})
    atexit.register(workshop.close)

    def answer(subject: str, arguments: dict[str, Any], *_: object) -> dict[str, Any]:
        return SUBJECTS[subject](Desk(workshop, nullcontext), arguments)

    return answer
