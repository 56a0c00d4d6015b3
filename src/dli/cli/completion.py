"""Shell completion: the script a shell loads, names and run ids of the server, names of files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from dli.cli.option import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from dli.client.basecamp import BasecampClient
    from dli.client.response import ServerResponse

__all__ = ["DATASET", "DATASET_PART", "RUN", "spec_name"]

_LIMIT = 50
_TIMEOUT_S = 1


class _FromServer(click.types.StringParamType):
    """Text whose known values the server lists."""

    def __init__(
        self,
        name: str,
        field: str,
        ask: Callable[[BasecampClient, str], ServerResponse],
        check: Callable[[str], None] | None = None,
    ) -> None:
        self.name = name
        self._field = field
        self._ask = ask
        self._check = check

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(super().convert(value, param, ctx))
        if self._check is not None and not (ctx and ctx.resilient_parsing):
            self._check(text)
        return text

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - the signature is click's
        incomplete: str,
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        try:
            values = self._values(ctx, incomplete)
        except Exception:  # noqa: BLE001 - a key press in a shell never prints an error
            return []
        return [CompletionItem(value) for value in values if value.startswith(incomplete)]

    def _values(self, ctx: click.Context, incomplete: str) -> list[str]:
        from dli.cli.connection import project_root
        from dli.client.basecamp import BasecampClient, ServerConfig
        from dli.config import resolve_server

        server = resolve_server(project_root(ctx.params.get("path")), os.environ)
        if server is None:
            return []
        config = ServerConfig(server.url, timeout=_TIMEOUT_S, api_key=server.token)
        with BasecampClient(config) as client:
            data = self._ask(client, incomplete).data
        return [str(record[self._field]) for record in data] if isinstance(data, list) else []


class _FromFiles(click.types.StringParamType):
    """Text whose known values are in the names of the project's spec files."""

    def __init__(self, noun: str) -> None:
        self.name = noun
        self._noun = noun

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - the signature is click's
        incomplete: str,
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        try:
            values = self._values(ctx)
        except Exception:  # noqa: BLE001 - a key press in a shell never prints an error
            return []
        return [CompletionItem(value) for value in values if value.startswith(incomplete)]

    def _values(self, ctx: click.Context) -> list[str]:
        from dli.cli.connection import project_root
        from dli.config import Settings

        root = project_root(ctx.params.get("path"))
        if root is None:
            return []
        settings = Settings(root, os.environ)
        keys = ("discovery.datasets_dir", "discovery.metrics_dir")
        folders = [str(found.value) for key in keys if (found := settings.get(key))]
        files = (
            file for folder in folders for file in (root / folder).rglob(f"{self._noun}.*.yaml")
        )
        return sorted({file.stem.partition(".")[2] for file in files})


def spec_name(noun: str) -> click.types.StringParamType:
    """The type of an argument that names a dataset or a metric of the project."""
    return _FromFiles(noun)


def _check_name(text: str) -> None:
    from dli.specs.name import NAME_RULE, is_name

    if not is_name(text):
        raise refused(f"'{text}' is not the name of a dataset", f"Mind that {NAME_RULE}.")


def _check_run_id(text: str) -> None:
    if not text.strip():
        raise refused("The run id is empty", "`dli workflow history` shows run ids.")


def _datasets(client: BasecampClient, text: str) -> ServerResponse:
    return client.workflow_list(dataset_filter=text or None, limit=_LIMIT)


def _runs(client: BasecampClient, _: str) -> ServerResponse:
    return client.workflow_history(limit=_LIMIT)


DATASET = _FromServer("dataset", "dataset_name", _datasets, _check_name)
DATASET_PART = _FromServer("text", "dataset_name", _datasets)
RUN = _FromServer("run", "run_id", _runs, _check_run_id)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(*, shell: str) -> None:
    """Print the completion script of a shell; for bash: eval "$(dli completion bash)"."""
    from click.shell_completion import get_completion_class

    from dli.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None  # the choices are click's own
    click.echo(kind(cli, {}, "dli", "_DLI_COMPLETE").source())
