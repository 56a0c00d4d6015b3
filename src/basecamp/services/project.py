"""The settings of the project that the server works for, as its files say them now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dli.exceptions import ConfigNotFoundError, ConfigurationError, ErrorCode, ServerError
from dli.specs.project import Project

if TYPE_CHECKING:
    from pathlib import Path


def project_at(root: Path) -> Project | None:
    """The project there, read anew; `None` when it has no settings.

    Raises:
        ServerError: they cannot be used (DLI-504).
    """
    try:
        return Project.open(root)
    except ConfigNotFoundError:
        return None
    except ConfigurationError as exc:
        raise ServerError(
            "The settings of the server's project cannot be used; `dli doctor` there tells why.",
            code=ErrorCode.SERVER_EXECUTION,
        ) from exc
