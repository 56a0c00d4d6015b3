"""The codes of all errors, and the one table of what each means to HTTP and to a reader."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CODES", "CodeInfo", "ErrorCode"]


class ErrorCode(StrEnum):
    """What went wrong. A published code never changes its meaning."""

    CONFIG_INVALID = "DLI-001"
    CONFIG_NOT_FOUND = "DLI-002"
    PROJECT_NOT_FOUND = "DLI-003"
    DATASET_NOT_FOUND = "DLI-101"
    METRIC_NOT_FOUND = "DLI-102"
    TABLE_NOT_FOUND = "DLI-103"
    VALIDATION_FAILED = "DLI-201"
    SQL_SYNTAX_ERROR = "DLI-202"
    SPEC_INVALID = "DLI-203"
    PARAMETER_INVALID = "DLI-204"
    TRANSPILE_FAILED = "DLI-301"
    DIALECT_UNSUPPORTED = "DLI-302"
    RULE_CONFLICT = "DLI-303"
    EXECUTION_FAILED = "DLI-401"
    TIMEOUT = "DLI-402"
    CONNECTION_FAILED = "DLI-403"
    EXECUTION_PERMISSION = "DLI-404"
    EXECUTION_QUERY = "DLI-405"
    SERVER_UNREACHABLE = "DLI-501"
    SERVER_AUTH_FAILED = "DLI-502"
    SERVER_ERROR = "DLI-503"
    SERVER_EXECUTION = "DLI-504"
    QUALITY_SPEC_NOT_FOUND = "DLI-601"
    QUALITY_SPEC_PARSE = "DLI-602"
    QUALITY_TARGET_NOT_FOUND = "DLI-603"
    QUALITY_TEST_EXECUTION = "DLI-604"
    QUALITY_NOT_FOUND = "DLI-606"
    CATALOG_CONNECTION_ERROR = "DLI-701"
    CATALOG_TABLE_NOT_FOUND = "DLI-702"
    CATALOG_INVALID_IDENTIFIER = "DLI-703"
    CATALOG_ACCESS_DENIED = "DLI-704"
    CATALOG_ENGINE_NOT_SUPPORTED = "DLI-705"
    WORKFLOW_NOT_FOUND = "DLI-800"
    WORKFLOW_REGISTRATION_FAILED = "DLI-801"
    WORKFLOW_EXECUTION_FAILED = "DLI-802"
    WORKFLOW_PERMISSION_DENIED = "DLI-803"
    WORKFLOW_ALREADY_EXISTS = "DLI-804"
    WORKFLOW_INVALID_CRON = "DLI-805"
    WORKFLOW_OVERRIDDEN = "DLI-806"
    WORKFLOW_INVALID_STATE = "DLI-807"
    WORKFLOW_UNREGISTER_FAILED = "DLI-808"


class CodeInfo(NamedTuple):
    """The HTTP status a server answers with by default, and one line on what to do next."""

    http_status: int
    help: str


CODES: Mapping[ErrorCode, CodeInfo] = MappingProxyType(
    {
        ErrorCode.CONFIG_INVALID: CodeInfo(
            500, "Check dli.yaml and the DLI_* variables; `dli doctor` names what is missing."
        ),
        ErrorCode.CONFIG_NOT_FOUND: CodeInfo(
            500, "Run inside a project, pass --path, or create a project with `dli init`."
        ),
        ErrorCode.PROJECT_NOT_FOUND: CodeInfo(
            500, "Check the path given by --path, project_path or DLI_HOME."
        ),
        ErrorCode.DATASET_NOT_FOUND: CodeInfo(
            404, "Check the name, and with `dli doctor` whether its file can be read."
        ),
        ErrorCode.METRIC_NOT_FOUND: CodeInfo(
            404, "Check the name, and with `dli doctor` whether its file can be read."
        ),
        ErrorCode.TABLE_NOT_FOUND: CodeInfo(
            404, "Check the name; usual are three parts: catalog.schema.table."
        ),
        ErrorCode.VALIDATION_FAILED: CodeInfo(400, "Correct what the message names and try again."),
        ErrorCode.SQL_SYNTAX_ERROR: CodeInfo(
            422, "Correct the SQL at the place given; check the dialect of the spec."
        ),
        ErrorCode.SPEC_INVALID: CodeInfo(
            422,
            "Correct the spec or template at the place given; `dli doctor` lists every bad file.",
        ),
        ErrorCode.PARAMETER_INVALID: CodeInfo(
            422, "Correct the value that is named; `--help` and the docs say what it may be."
        ),
        ErrorCode.TRANSPILE_FAILED: CodeInfo(422, "Correct the SQL, or leave out strict mode."),
        ErrorCode.DIALECT_UNSUPPORTED: CodeInfo(
            422, "Use trino, bigquery, snowflake, duckdb or spark."
        ),
        ErrorCode.RULE_CONFLICT: CodeInfo(
            422, "Two transpile rules contradict each other; change or disable one."
        ),
        ErrorCode.EXECUTION_FAILED: CodeInfo(500, "Read the cause; the run's log has the details."),
        ErrorCode.TIMEOUT: CodeInfo(
            504, "Look at the state before you try again; a higher time limit may be needed."
        ),
        ErrorCode.CONNECTION_FAILED: CodeInfo(
            503, "Check the engine's connection string, its driver, and that nothing else locks it."
        ),
        ErrorCode.EXECUTION_PERMISSION: CodeInfo(
            403, "Ask for the right on the engine, or use another account."
        ),
        ErrorCode.EXECUTION_QUERY: CodeInfo(
            422, "Correct the SQL that the engine refused; a dry run checks it without effect."
        ),
        ErrorCode.SERVER_UNREACHABLE: CodeInfo(
            503, "Start Basecamp with `dli up`, or check server_url and the network."
        ),
        ErrorCode.SERVER_AUTH_FAILED: CodeInfo(
            401, "Set a valid token in DLI_API_TOKEN or server.api_key, or run `dli login`."
        ),
        ErrorCode.SERVER_ERROR: CodeInfo(
            500, "Try again later; the server's log has the details under the request id."
        ),
        ErrorCode.SERVER_EXECUTION: CodeInfo(
            503, "The server works but its engine or store does not; try again later."
        ),
        ErrorCode.QUALITY_SPEC_NOT_FOUND: CodeInfo(404, "Check the path of the quality spec."),
        ErrorCode.QUALITY_SPEC_PARSE: CodeInfo(422, "Correct the quality spec at the place given."),
        ErrorCode.QUALITY_TARGET_NOT_FOUND: CodeInfo(404, "Check target.name in the quality spec."),
        ErrorCode.QUALITY_TEST_EXECUTION: CodeInfo(
            500, "Read the cause: a test did not pass, or could not run."
        ),
        ErrorCode.QUALITY_NOT_FOUND: CodeInfo(404, "Check the name of the quality test."),
        ErrorCode.CATALOG_CONNECTION_ERROR: CodeInfo(
            503, "Check that the server and its catalog can be reached."
        ),
        ErrorCode.CATALOG_TABLE_NOT_FOUND: CodeInfo(
            404, "Check the name; usual are three parts: catalog.schema.table."
        ),
        ErrorCode.CATALOG_INVALID_IDENTIFIER: CodeInfo(
            422, "Write project.dataset.table, with an engine in front if needed."
        ),
        ErrorCode.CATALOG_ACCESS_DENIED: CodeInfo(403, "Ask the owner of the table for access."),
        ErrorCode.CATALOG_ENGINE_NOT_SUPPORTED: CodeInfo(422, "Use one of the supported engines."),
        ErrorCode.WORKFLOW_NOT_FOUND: CodeInfo(
            404, "Check the name or run id; `dli workflow list` and `history` show what exists."
        ),
        ErrorCode.WORKFLOW_REGISTRATION_FAILED: CodeInfo(
            422, "Correct what the message names and register again."
        ),
        ErrorCode.WORKFLOW_EXECUTION_FAILED: CodeInfo(
            500, "Look at `dli workflow history`; try again when the server is well."
        ),
        ErrorCode.WORKFLOW_PERMISSION_DENIED: CodeInfo(
            403, "Change a CODE workflow in Git; else ask for a token with this right."
        ),
        ErrorCode.WORKFLOW_ALREADY_EXISTS: CodeInfo(409, "Use --force to replace the workflow."),
        ErrorCode.WORKFLOW_INVALID_CRON: CodeInfo(
            422, "Give a cron expression of five fields and an IANA time zone."
        ),
        ErrorCode.WORKFLOW_OVERRIDDEN: CodeInfo(
            403, "A CODE workflow of this name is in force; address that one or change it in Git."
        ),
        ErrorCode.WORKFLOW_INVALID_STATE: CodeInfo(
            409, "Look at the current state; what you asked for is already so, or over."
        ),
        ErrorCode.WORKFLOW_UNREGISTER_FAILED: CodeInfo(
            422, "Look at the workflow with `dli workflow list` and try again."
        ),
    }
)
