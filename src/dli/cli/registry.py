"""What `dli dataset` and `dli metric` share about the server: register, diff, history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dli.cli.completion import spec_name
from dli.cli.connection import is_mock
from dli.cli.context import execution_context
from dli.cli.option import format_option, path_option
from dli.cli.output import emit, emit_json, emit_table, note
from dli.cli.spec import find, open_project

if TYPE_CHECKING:
    from pathlib import Path

    from dli.api.dataset import DatasetAPI
    from dli.api.metric import MetricAPI
    from dli.cli.spec import Noun

__all__ = ["diff_command", "history_command", "register_command"]


def register_command(noun: Noun) -> click.Command:
    @click.command("register", help=f"Send the project's spec of a {noun} to the server.")
    @click.argument("name", type=spec_name(noun))
    @click.option("--force", "-f", is_flag=True, help="Replace one that is registered.")
    @format_option()
    @path_option("-p")
    def command(*, name: str, force: bool, format: str, path: Path | None) -> None:
        api = _api(noun, path)
        _check_name(noun, name, path)
        api.register(name, force=force)
        if format == "json":
            emit_json({"name": name, "registered": True})
        else:
            emit(f"{name} is registered.")

    return command


def diff_command(noun: Noun) -> click.Command:
    @click.command("diff", help=f"Compare the project's spec of a {noun} with the server's.")
    @click.argument("name", type=spec_name(noun))
    @format_option("-f")
    @path_option("-p")
    def command(*, name: str, format: str, path: Path | None) -> None:
        api = _api(noun, path)
        _check_name(noun, name, path)
        text = api.diff(name)
        if format == "json":
            emit_json({"name": name, "is_different": bool(text), "diff": text})
        elif text:
            emit(text)
        else:
            note("No difference.")

    return command


def history_command(noun: Noun) -> click.Command:
    @click.command("history", help=f"List the registered versions of a {noun}, newest first.")
    @click.argument("name", type=spec_name(noun))
    @format_option("-f")
    @path_option("-p")
    def command(*, name: str, format: str, path: Path | None) -> None:
        versions = _api(noun, path).get_versions(name)
        if format == "json":
            emit_json(versions)
        elif versions:
            keys = ("version", "registered_by", "created_at", "spec_hash")
            rows = [[version.get(key) for key in keys] for version in versions]
            emit_table(("VERSION", "BY", "AT", "CONTENT HASH"), rows)
        else:
            note("No version was registered.")

    return command


def _api(noun: Noun, path: Path | None) -> DatasetAPI | MetricAPI:
    from dli.api.dataset import DatasetAPI
    from dli.api.metric import MetricAPI

    context = execution_context(path)
    return DatasetAPI(context) if noun == "dataset" else MetricAPI(context)


def _check_name(noun: Noun, name: str, path: Path | None) -> None:
    """An unknown name gets the close ones."""
    if not is_mock():
        find(open_project(path), noun, name)
