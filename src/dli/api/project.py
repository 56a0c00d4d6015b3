"""From an execution context to the project that it means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dli.config import find_project_root
from dli.exceptions import ConfigNotFoundError, ConfigurationError, ErrorCode

if TYPE_CHECKING:
    from pathlib import Path

    from dli.models.common import ExecutionContext
    from dli.specs.project import Project

__all__ = ["find_root", "open_project", "require_root"]


def find_root(context: ExecutionContext) -> Path | None:
    """The project that `project_path`, else `DLI_HOME`, else the working directory lies in."""
    return find_project_root(context.project_path, os.environ)


def require_root(context: ExecutionContext) -> Path:
    """The project of this context.

    Raises: ConfigurationError 001 without a `project_path` outside of any project, 003 for a
    directory that does not exist, 002 (also a FileNotFoundError) for one without `dli.yaml`.
    """
    root = find_root(context)
    path = context.project_path
    if path is None:
        if root is None:
            message = "project_path is required: set it, DLI_PROJECT_PATH or DLI_HOME to a project"
            raise ConfigurationError(message)
        return root
    if not path.is_dir():
        message = "The project directory does not exist"
        raise ConfigurationError(message, ErrorCode.PROJECT_NOT_FOUND, config_path=path)
    if root is None:
        message = "The project directory has no dli.yaml"
        raise ConfigNotFoundError(message, config_path=path / "dli.yaml")
    return root


def open_project(context: ExecutionContext, path: Path | None = None) -> Project:
    """The project at `path`, else that of the context, read anew. Raises: as `require_root`."""
    from dli.specs.project import Project

    if path is not None:
        context = context.model_copy(update={"project_path": path})
    return Project.open(require_root(context), os.environ)
