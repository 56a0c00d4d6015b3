"""Inputs that are wrong in many ways: specs as JSON and as YAML, and names."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["bodies", "documents", "names"]

SPEC: dict[str, Any] = {
    "name": "shop.sales.daily",
    "owner": "ana@example.com",
    "team": "sales",
    "query_statement": "SELECT {{ who }} AS n",
    "parameters": [{"name": "who", "type": "string", "default": "x"}],
    "execution": {"dialect": "duckdb", "timeout_seconds": 60},
    "schedule": {"cron": "0 6 * * *", "timezone": "UTC"},
    "tags": ["a"],
}
_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**63, 10**400, 1e308, "", " ", "\0", "\n", "\ud800", "x" * 100_000),
    *([], {}, [[]], {"": ""}, "{{ 7*7 }}", "{% for a in b %}", "${HOME}", "'; DROP TABLE t; --"),
    *("../../etc/passwd", "٣", "ﬁ", "\u202eabc", "<script>alert(1)</script>", "%n%s", "\x1b[31m"),
)
_NAMES = (
    *("", ".", "..", "...", "a", "a.b.", ".a.b", "a..b", "a b.c.d", "a.b.c.d.e", "-a.b.c", "CON"),
    *("../x", "..%2f..%2fx", "%2e%2e%2f", "a%00b", "a\nb", "a;b", "a'b", 'a"b', "a`b", "a$b"),
    *(".git", "a.b.c/../d", "ａ.b.c", "a.ƀ.c", "٣.b.c", "a.b.\u202ec", "x" * 201, "a." * 5_000),
    *("{{7*7}}", "${x}", "<b>", "NUL", "a.b.c?x=1", "a.b.c#x", "a\\b", "~", "*", "a.b.ﬁ"),
)
_DOCUMENTS: tuple[str, ...] = (
    *("", "\0", "\t", "- a", "a", "{", "[" * 5_000, "{a: " * 5_000, "a: b: c", "a: [", '"', "'"),
    *("a: &x 1\nb: *x", "!!python/object/apply:os.system [id]", "a: !!binary x", "<<: {a: 1}"),
    *(
        "a: 1\na: 2",
        "%YAML 9.9\n---\na: 1",
        "--- 1\n--- 2",
        "? [a]\n: b",
        "\ufeffname: x",
        "a: |\n b",
    ),
    *("a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]", "a: " + "x" * 200_000, "a: 2026-99-99", "on: 12:30"),
)


def names(rng: random.Random) -> Iterator[str]:
    """Names that are none, without end."""
    yield from _NAMES
    while True:
        letters = [
            chr(rng.choice((rng.randrange(32, 127), rng.randrange(160, 0x2FFF)))) for _ in "x" * 9
        ]
        yield "".join(letters) + rng.choice(_NAMES)


def bodies(rng: random.Random) -> Iterator[bytes]:
    """Bodies of a registration with one or two things wrong, without end."""
    while True:
        whole = {"dataset_name": SPEC["name"], "cron": "0 6 * * *", "spec": SPEC}
        wrong = json.loads(json.dumps(whole))
        for _ in range(rng.randint(1, 2)):
            rng.choice(_CHANGES)(rng, wrong)
        text = json.dumps(wrong)
        yield _broken(rng, text).encode("utf-8", "surrogatepass")


def documents(rng: random.Random) -> Iterator[str]:
    """YAML of specs that cannot be read or are not right, without end."""
    yield from _DOCUMENTS
    while True:
        wrong = json.loads(json.dumps(SPEC))
        rng.choice(_CHANGES)(rng, wrong)
        text = "\n".join(f"{key}: {json.dumps(value)}" for key, value in wrong.items())
        yield _broken(rng, text)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place below `value`, as who holds it and its key."""
    keys: Any = value if isinstance(value, dict) else range(len(value))
    own = [(value, key) for key in list(keys)]
    return own + [
        place
        for _, key in own
        if isinstance(value[key], dict | list)
        for place in _places(value[key])
    ]


def _replace(rng: random.Random, whole: Any) -> None:
    holder, key = rng.choice(_places(whole))
    holder[key] = rng.choice(_VALUES)


def _remove(rng: random.Random, whole: Any) -> None:
    holder, key = rng.choice([place for place in _places(whole) if isinstance(place[0], dict)])
    del holder[key]


def _add(rng: random.Random, whole: Any) -> None:
    holders = [holder for holder, _ in _places(whole) if isinstance(holder, dict)]
    rng.choice(holders or [whole])[rng.choice(_NAMES)] = rng.choice(_VALUES)


def _nest(rng: random.Random, whole: Any) -> None:
    holder, key = rng.choice(_places(whole))
    for _ in range(rng.randint(20, 60)):
        holder[key] = rng.choice(([holder[key]], {"x": holder[key]}))


_CHANGES: tuple[Callable[[random.Random, Any], None], ...] = (
    _replace,
    _replace,
    _remove,
    _add,
    _nest,
)


def _broken(rng: random.Random, text: str) -> str:
    """Now and then the text itself is damaged, too."""
    at = rng.randrange(len(text) + 1)
    match rng.randrange(12):
        case 0:
            return text[:at]
        case 1:
            return (
                text[:at] + rng.choice(("NaN", "\0", "\ud800", "}", ",", '"', "1e999")) + text[at:]
            )
        case 2:
            return text[:at] + text[at:].replace("60", "9" * 5_000, 1)
        case 3:
            return text.replace('"name"', '"name": 1, "name"', 1)
        case _:
            return text
