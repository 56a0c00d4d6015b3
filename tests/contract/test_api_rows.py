"""The methods of the seven classes and of the client are those of the contract, each with tests."""

import ast
import inspect

import pytest

import dli
from dli.core import client
from evidence import source, table

SIGNATURES: dict[str, str] = table("apis")["signatures"] | table("client")["signatures"]
METHODS = [name for name in table("apis")["signatures"] if "." in name]
CALLS = [name for name in table("client")["signatures"] if "." in name]
MODES = ("MOCK", "LOCAL", "SERVER")

Parameter = tuple[str, bool, str | None]


def kept(signature: str) -> dict[str, Parameter]:
    """Name -> name, keyword only, default of `(a, *, b=1)`."""
    function = ast.parse(f"def f{signature}: ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    found = function.args
    positional = [None] * (len(found.args) - len(found.defaults)) + found.defaults
    pairs = [(arg, default, False) for arg, default in zip(found.args, positional, strict=True)]
    pairs += [(a, d, True) for a, d in zip(found.kwonlyargs, found.kw_defaults, strict=True)]
    return {
        arg.arg: (arg.arg, is_keyword, None if default is None else ast.unparse(default))
        for arg, default, is_keyword in pairs
    }


def real(name: str) -> dict[str, Parameter]:
    owner, _, method = name.partition(".")
    found = getattr(dli if owner in dli.__all__ else client, owner)
    function = getattr(found, method) if method else found
    parameters = list(inspect.signature(function).parameters.values())[1 if method else 0 :]
    return {
        p.name: (
            p.name,
            p.kind is p.KEYWORD_ONLY,
            None if p.default is p.empty else repr(p.default),
        )
        for p in parameters
    }


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_method_takes_what_the_contract_says_and_asks_for_nothing_more(name: str) -> None:
    expected, found = kept(SIGNATURES[name]), real(name)
    assert [found.get(parameter) for parameter in expected] == list(expected.values())
    more = [default for key, (_, _, default) in found.items() if key not in expected]
    assert None not in more


def test_no_public_method_is_without_a_row() -> None:
    classes = {name for name in table("apis")["signatures"] if "." not in name}
    assert classes == {name for name in dli.__all__ if name.endswith("API")}
    public = {
        f"{owner}.{name}"
        for owner in classes
        for name, _ in inspect.getmembers(getattr(dli, owner), inspect.isfunction)
        if not name.startswith("_")
    }
    assert public == set(METHODS)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_row_for_every_mode(method: str, mode: str) -> None:
    assert f"{method} {mode}" in table("apis")["methods"]


@pytest.mark.parametrize("call", CALLS)
def test_every_call_of_the_client_is_made_by_its_tests(call: str) -> None:
    texts = "\n".join(map(source, table("client")["methods"][call]))
    assert f".{call.partition('.')[2]}(" in texts
