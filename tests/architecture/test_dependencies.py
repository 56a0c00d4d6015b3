"""Each foreign package is used, and only where it is at home: there its errors are translated."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

HOMES = {
    "airflow": ("dli_airflow",),
    "alembic": ("basecamp.store",),
    "apprise": ("dli.courier",),
    "click": ("dli.cli",),
    "cronsim": ("dli.specs.cron",),
    "dotenv": ("dli.models.context",),
    "duckdb": ("dli.warehouse",),
    "fastapi": ("basecamp.app", "basecamp.routes"),
    "http.client": ("dli.client",),
    "joserfc": ("basecamp.provider.issuer",),
    "keyring": ("dli.credential",),
    "minijinja": ("dli.specs.template",),
    "pendulum": ("dli_airflow.timetable",),
    "prometheus_client": ("basecamp.telemetry",),
    "openlineage": ("dli.warehouse",),
    "opentelemetry": ("dli.span",),
    "obstore": ("dli.specs.bucket",),
    "psycopg": ("basecamp.store",),
    "pydantic": ("basecamp.routes", "dli.api", "dli.models", "dli.specs"),
    "sqlalchemy": ("basecamp.store",),
    "sqlglot": ("dli.specs", "dli.warehouse"),
    "starlette": ("basecamp.gate", "basecamp.routes"),
    "tenacity": ("basecamp.engines.airflow.connection", "dli.client"),
    "urllib3": ("basecamp.engines.airflow.connection", "basecamp.provider.document"),
    "uvicorn": ("basecamp.protocol", "basecamp.serve"),
    "yaml": ("basecamp.specstore", "dli.config", "dli.specs"),
}

USED_BY_OTHERS = {
    "httptools": "uvicorn parses HTTP with it",
    "pytz": "duckdb hands out TIMESTAMP WITH TIME ZONE with it",
    "tzdata": "zoneinfo reads it where the system has no zones",
}
IMPORT_NAMES = {
    "openlineage-python": "openlineage",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry",
    "opentelemetry-sdk": "opentelemetry",
    "prometheus-client": "prometheus_client",
    "python-dotenv": "dotenv",
    "pyyaml": "yaml",
}


def imports(tree: ast.AST) -> Iterator[str]:
    """What a module imports when it runs, not what its types alone need."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module)):
                yield module
            case _:
                yield from imports(node)


def used() -> set[tuple[str, str]]:
    """Pairs of our module and what it imports."""
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found |= {(module, name) for name in imports(tree)}
    return found


def test_each_package_is_imported_at_its_home_only() -> None:
    strangers = {
        (module, name)
        for module, name in used()
        for package, homes in HOMES.items()
        if f"{name}.".startswith(f"{package}.") and not module.startswith(homes)
    }
    assert strangers == set()


def test_every_declared_dependency_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    own = {name for name in extras if name != "all"}
    declared = [*project["dependencies"], *(line for name in own for line in extras[name])]
    names = {re.split(r"[^\w-]", requirement)[0] for requirement in declared}
    packages = {name.partition(".")[0] for _, name in used()}
    idle = {n for n in names if IMPORT_NAMES.get(n, n.replace("-", "_")) not in packages}
    assert idle == USED_BY_OTHERS.keys()


def test_kept_import_paths_hold_no_code() -> None:
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)
    modules = [*(ROOT / "src" / "dli" / "core").rglob("*.py")]
    assert modules
    for path in modules:
        body = ast.parse(path.read_text(encoding="utf-8")).body
        assert [node for node in body if not isinstance(node, allowed)] == [], path
