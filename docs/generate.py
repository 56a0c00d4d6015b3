"""Writes the pages of docs/ that come from the code; `--check` only names those out of date."""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

DOCS = Path(__file__).parent
ROWS = "tests/contract/rows/faults.yaml"
LONG_RUN = "tests/battery/last-long-run.json"


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


def http_api() -> str:
    description = openapi()
    schemas = description["components"]["schemas"]
    operations = [
        (
            f"`{method.upper()} {path}`",
            text_of(operation),
            parameters(operation),
            answers(operation),
        )
        for path, item in description["paths"].items()
        for method, operation in item.items()
    ]
    records = "\n".join(record(name, schemas[name]) for name in sorted(schemas))
    return f"""# HTTP API

JSON in UTF-8, times in RFC 3339 with `Z`. Every request but those to `/livez`, `/readyz`,
`/api/v1/health` and those of a [login](identity.md#people-of-an-identity-provider) carries
`Authorization: Bearer TOKEN` or `X-API-Key: TOKEN`; `dli up` leaves
address and token in `.dli/basecamp.json`. The server itself describes all this in
`/api/v1/openapi.json`.

A POST or DELETE may carry an `Idempotency-Key`; a repetition with the same key and body gets the
first answer again, with `Idempotency-Replayed: true`, or 409 while the first is under way; what
only reads (a metric, a dry run) is done again. A refused request changes nothing; its answer is a
`Problem`, its code one of [errors.md](errors.md).

{table(("request", "what it does", "query and body", "success"), operations)}

## Records

A `?` marks a value that may be `null`.

{records}"""


def openapi() -> dict[str, Any]:
    from basecamp.app import Basecamp, create_api
    from basecamp.routes.description import describe
    from basecamp.settings import Settings

    with TemporaryDirectory() as folder:
        settings = Settings(project=Path(folder), state_dir=Path(folder, "state"))
        with Basecamp(settings) as basecamp:
            return describe(create_api(basecamp))


def text_of(operation: dict[str, Any]) -> str:
    return " ".join(operation["description"].split())


def parameters(operation: dict[str, Any]) -> str:
    queries = (p for p in operation.get("parameters", []) if p["in"] == "query")
    names = [f"`{p['name']}` {type_of(p['schema'])}" for p in queries]
    names += [link(kind) for kind in bodies(operation.get("requestBody", {}))]
    return ", ".join(names)


def answers(operation: dict[str, Any]) -> str:
    return ", ".join(
        " ".join((status, *map(link, bodies(answer))))
        for status, answer in sorted(operation["responses"].items())
        if status.startswith("2")
    )


def bodies(holder: dict[str, Any]) -> Iterator[str]:
    for content in holder.get("content", {}).values():
        kinds = type_of(content.get("schema", {})).rstrip("?").split(" or ")
        yield from (kind for kind in kinds if kind[:1].isupper())


def link(kind: str) -> str:
    return f"[{kind}](#{kind.lower()})"


def record(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        (f"`{key}`", type_of(field), default_of(field, is_required=key in required))
        for key, field in schema["properties"].items()
    ]
    return f"### {name}\n\n{table(('field', 'type', 'default'), rows)}\n"


def default_of(field: dict[str, Any], *, is_required: bool) -> str:
    return "" if is_required or "default" not in field else f"`{json.dumps(field['default'])}`"


def type_of(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        kinds = [type_of(option) for option in schema["anyOf"]]
        mark = "?" if "null" in kinds else ""
        return " or ".join(kind for kind in kinds if kind != "null") + mark
    if "enum" in schema or "const" in schema:
        return "/".join(f"`{word}`" for word in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'])}"
    return str(schema.get("format") or schema.get("type") or "any")


def reliability() -> str:
    import yaml

    rows = yaml.safe_load((DOCS.parent / ROWS).read_text(encoding="utf-8"))
    goals, faults = (
        table(
            ("", name, "shown by", "not there yet"),
            [(key, row["name"], shown_by(row), row.get("missing", "")) for key, row in found],
        )
        for name, found in (("goal", rows["goals"].items()), ("fault", rows["faults"].items()))
    )
    defects = table(
        ("defect", "tests that turn red"),
        [(name, shown_by({"tests": tests})) for name, tests in rows["defects"].items()],
    )
    return f"""# Reliability

What Basecamp promises, what can go wrong, and the tests that show what happens then. They run in
`make test`, those of `tests/battery` in `make battery`; a test fails when a row names one that is
not there. The rows are in [`{ROWS}`](../{ROWS}).

## Goals

{goals}

## Faults

{faults}

## The last long run

{long_run()}

## What is not defended

- Root on the machine, and whoever may write to the project: its SQL may read and write the data
  that it names.
- A malicious Airflow, bucket, PostgreSQL or receiver of messages: whoever starts the server gives
  their addresses, and they are trusted. An answer that makes no sense is refused, a lie believed.
- Losing the disk. `dli backup` keeps the state; the data are files below `.dli/warehouse`.
- A real cut of power. Every acknowledged change is synced to the disk first (`synchronous=FULL`);
  the tests kill processes and let writes fail.
- A network that splits between two servers and their PostgreSQL, beyond what freezing one shows.

## Planted defects

To see that the tests can fail, each of these was planted once by hand.

{defects}
"""


def long_run() -> str:
    """What the campaigns of the battery found when they last ran in full size."""
    rows = json.loads((DOCS.parent / LONG_RUN).read_text(encoding="utf-8"))["rows"]
    if not rows:
        return "`make battery-long` has not been run yet."
    heads = ("campaign", "outcome", "counted", "measured", "where")
    words = "Each campaign as it ran last in full size; one that has no row has not run so yet.\n\n"
    return words + table(heads, [campaign(row) for row in rows])


def campaign(row: dict[str, Any]) -> tuple[str, ...]:
    counted = "<br>".join(f"{number:,} {what}" for what, number in row["counts"].items())
    where = f"commit {row['commit']}, {row['at'][:10]}, {row['machine']}, seed {row['seed']}"
    link = test_link(re.sub(r"^tests/|\[.*", "", row["test"]))
    variant = re.search(r"\[.*\]$", row["test"])
    name = link if variant is None else f"{link} {variant[0][1:-1]}"
    return name, row["outcome"], counted, "<br>".join(map(figure, row["figures"])), where


def figure(found: dict[str, Any]) -> str:
    bounds = {"at most": found["limit"], "at least": found["at_least"]}
    told = ", ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)
    value = f"{found['name']} {found['value']:.4g} {found['unit']}".strip()
    return value + (f" ({told})" if told else "")


def shown_by(row: dict[str, Any]) -> str:
    if "reason" in row:
        return f"cannot happen: {row['reason']}"
    return "<br>".join(map(test_link, row.get("tests", ())))


def test_link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{words_of(name)}](../tests/{path})"


def words_of(name: str) -> str:
    """A test says in its name what it shows."""
    words = name.rpartition("::")[2].removeprefix("test_").split("_")
    is_id = re.fullmatch(r"[fgt][0-9]+", words[0])
    return " ".join(words[1:] if is_id else words)


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": commands,
    "errors.md": errors,
    "http-api.md": http_api,
    "reliability.md": reliability,
}


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
