"""The commands are those of the contract, and the tests of each use each of its options."""

import re
from collections.abc import Iterator

import click
import pytest

from dli.cli.main import cli
from evidence import source, table

COMMANDS = table("cli")["commands"]
WORD = re.compile(
    r"(?P<names>--[\w/-]+)(?:=(?P<default>[^{*!]*))?(?:{(?P<choices>.*)})?(?P<many>\*)?(?P<must>!)?"
)
# Options that mean the same everywhere; rows of their own name the tests of all of them.
COMMON = {"--path", "--format", "--param"}


def commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        yield prefix + name, command
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")


REAL = dict(commands(cli)) | {"": cli}


def option(command: click.Command, name: str) -> click.Option:
    found = [p for p in command.params if name in (*p.opts, *p.secondary_opts)]
    assert len(found) == 1, f"no option {name}"
    assert isinstance(found[0], click.Option)
    return found[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_takes_what_the_contract_says(name: str) -> None:
    command = REAL[name]
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    words = COMMANDS[name].get("takes", "").split()
    given = [word.strip("[]") for word in words if not word.startswith("--")]
    assert [p.name for p in arguments] == given
    assert [p.required for p in arguments] == [f"[{word}]" not in words for word in given]
    for word in words:
        if word.startswith("--"):
            check_option(command, word)


def check_option(command: click.Command, word: str) -> None:
    kept = WORD.fullmatch(word)
    assert kept, word
    found = option(command, kept["names"].split("/")[0])
    assert set(kept["names"].split("/")) <= {*found.opts, *found.secondary_opts}
    assert found.is_flag is (kept["default"] is None)
    assert found.required is bool(kept["must"])
    assert found.multiple or not kept["many"]
    if kept["default"]:
        assert str(found.default) == kept["default"]
    if kept["choices"]:
        choices = getattr(found.type, "choices", ())
        assert set(kept["choices"].split(",")) <= set(choices)


def test_no_command_is_without_a_row() -> None:
    assert sorted(REAL) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_tests_of_a_command_use_each_of_its_options(name: str) -> None:
    texts = "\n".join(map(source, COMMANDS[name]["tests"]))
    words = [word for word in COMMANDS[name].get("takes", "").split() if word.startswith("--")]
    unused = []
    for word in words:
        first, *others = re.split(r"[={*!]", word)[0].split("/")
        forms = {first} if others and others[0].startswith("--") else {first, *others}
        if first not in COMMON and not any(is_used(form, texts) for form in forms):
            unused.append(first)
    assert unused == []


def is_used(form: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(form)}(?![\w-])", text) is not None
