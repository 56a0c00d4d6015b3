"""Writes the pages of docs/ that come from the code; `--check` only names those out of date."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

DOCS = Path(__file__).parent


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def errors() -> str:
    from dli.exceptions import CODES

    rows = [
        (f"`{code.value}`", f"`{code.name}`", info.http_status, info.help)
        for code, info in CODES.items()
    ]
    return f"""# Errors

Every error of the library, of the command line and of the server carries one of these codes.
The command line prints `Error [DLI-xxx]: message` on stderr and exits with 1 (2 for a usage error,
130 after Ctrl-C). The server answers with `application/problem+json` and the code in `code`; the
status below is the usual one. A published code never changes its meaning.

{table(("code", "name", "HTTP", "what to do"), rows)}
"""


def commands() -> str:
    import click

    from dli.cli.main import cli

    def sections(command: click.Command, parent: click.Context | None) -> Iterator[str]:
        ctx = click.Context(
            command, parent, info_name=command.name, terminal_width=100, **cli.context_settings
        )
        yield f"## {ctx.command_path}\n\n```\n{command.get_help(ctx)}\n```\n"
        if isinstance(command, click.Group):
            for name in command.list_commands(ctx):
                found = command.get_command(ctx, name)
                assert found is not None
                yield from sections(found, ctx)

    listing = "\n".join(sections(cli, None))
    return f"""# Command line

Results go to stdout, messages and errors to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage,
130 after Ctrl-C. With `--format json`, stdout is one JSON document. [errors.md](errors.md) lists
the errors and what to do about them. `NO_COLOR` turns colour off, `DLI_DEBUG=1` shows tracebacks,
`DLI_LOG_LEVEL=INFO` shows the log.

`dli completion bash|zsh|fish` prints a script that completes commands, dataset names and run ids.

{listing}"""


PAGES: dict[str, Callable[[], str]] = {"cli.md": commands, "errors.md": errors}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    is_check = parser.parse_args().check
    stale = [name for name, page in PAGES.items() if page() != current(DOCS / name)]
    for name in stale:
        if is_check:
            print(f"docs/{name} is out of date; `make docs` writes it anew")
        else:
            (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
            print(f"docs/{name} written")
    return 1 if is_check and stale else 0


def current(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
