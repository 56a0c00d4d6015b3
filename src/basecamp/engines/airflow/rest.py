"""Every call that Basecamp makes to Airflow's REST API v2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from basecamp.engines.airflow import state
from basecamp.engines.airflow.connection import LINES, Answer, Ask, Connection, TooLargeError
from basecamp.engines.airflow.fault import AirflowError, Reason, protocol_broken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from basecamp.engines.airflow.state import SeenDag, SeenResult, SeenRun, SeenTry

TASK = "run"
"""The one task of every DAG of ours."""
RESULT = "dli_result"
"""The key under which the operator leaves its result."""
SENTINEL = "dli_sentinel"
"""The DAG whose file Airflow is asked to parse so that it looks at the spec store."""
_TAGS = "tags=dli:code&tags=dli:manual&tags_match_mode=any"
_READS = 3
_PAGE = 100
_HASTE_S = 1.0


@dataclass(frozen=True)
class RunPage:
    """Runs that have changed, oldest change first; `at` is Airflow's clock when it answered."""

    runs: list[SeenRun]
    next_cursor: str | None
    at: datetime | None


@dataclass(frozen=True)
class LogPart:
    """Entries of a log, and where to go on; without a token there is nothing to go on from."""

    entries: list[Any]
    token: str | None


class AirflowRest:
    """Airflow as the engine needs it. A method returns None for what Airflow does not know.

    Every method raises `AirflowError` when Airflow gives no usable answer.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def close(self) -> None:
        """Ask nothing any more."""
        self._connection.close()

    def trigger(self, dag_id: str, run_id: str, conf: dict[str, Any]) -> SeenRun | None:
        """Queue a run under our id, once: a second call finds the run of the first.

        None means that Airflow does not have the DAG, or not any more.
        """
        body = {
            "dag_run_id": run_id,
            "logical_date": None,
            "conf": conf,
            "note": f"by Basecamp for {conf.get('triggered_by', 'somebody')}",
        }
        answer = self._call("POST", f"{_dag(dag_id)}/dagRuns", body)
        if answer.status == 409:
            return self.run(dag_id, run_id)
        if answer.status == 404:
            return None
        return state.run_of(_body(answer))

    def run(self, dag_id: str, run_id: str) -> SeenRun | None:
        """One run."""
        found = self._get(_run(dag_id, run_id))
        return None if found is None else state.run_of(found)

    def stop(self, dag_id: str, run_id: str) -> bool:
        """Have Airflow end a run; false when it has no such run."""
        answer = self._call("PATCH", _run(dag_id, run_id), {"state": "failed"}, attempts=_READS)
        if answer.status == 404:
            return False
        _body(answer)
        return True

    def changed_runs(self, since: datetime, cursor: str = "") -> RunPage:
        """One page of the runs of all DAGs that changed at `since` or later."""
        query = [("updated_at_gte", since.isoformat()), ("order_by", "updated_at")]
        return self._runs([*query, ("cursor", cursor)])

    def active_runs(self) -> list[SeenRun]:
        """Every run that has not ended, of all DAGs; a state unknown to us counts as active."""
        found: list[SeenRun] = []
        cursor: str | None = ""
        while cursor is not None:
            query = [("state", "queued"), ("state", "running"), ("order_by", "run_after")]
            page = self._runs([*query, ("cursor", cursor)])
            found += page.runs
            cursor = page.next_cursor
        return found

    def tries(self, dag_id: str, run_id: str) -> list[SeenTry]:
        """The attempts of a run, in order; none when Airflow does not know it."""
        found = self._get(f"{_run(dag_id, run_id)}/taskInstances/{TASK}/tries")
        if found is None:
            return []
        tries = [state.try_of(one) for one in state.items_of(found, "task_instances")]
        return sorted((one for one in tries if one.number > 0), key=lambda one: one.number)

    def result(self, dag_id: str, run_id: str) -> SeenResult | None:
        """What the operator left; None when it did not come so far."""
        path = f"{_run(dag_id, run_id)}/taskInstances/{TASK}/xcomEntries/{RESULT}"
        found = self._get(path)
        return None if found is None else state.result_of(found)

    def log(self, dag_id: str, run_id: str, number: int) -> list[Any]:
        """The entries of an attempt's log as Airflow keeps them, up to 1 MiB of them."""
        path = f"/api/v2{_run(dag_id, run_id)}/taskInstances/{TASK}/logs/{number}"
        answer = self._connection.call(Ask("GET", path, accept=LINES, is_cut=True), attempts=_READS)
        if answer.status == 404:
            return []
        found: list[Any] = _body(answer)
        return found

    def log_on(self, dag_id: str, run_id: str, number: int, token: str | None) -> LogPart:
        """What an attempt's log has gained since the part that gave the token; None: all of it.

        Raises:
            TooLargeError: that is more than 1 MiB.
        """
        path = f"{_run(dag_id, run_id)}/taskInstances/{TASK}/logs/{number}"
        answer = self._call("GET", path + (f"?token={quote(token, safe='')}" if token else ""))
        if answer.status == 400 and token:  # of another key: Airflow was set up anew
            return self.log_on(dag_id, run_id, number, None)
        if answer.status == 404:
            return LogPart([], None)
        body = _body(answer)
        return LogPart(state.items_of(body, "content"), state.text_of(body, "continuation_token"))

    def dag(self, dag_id: str, *, in_haste: bool = False) -> SeenDag | None:
        """One DAG, also one whose file has gone; `in_haste` somebody waits for the answer."""
        found = self._get(_dag(dag_id), in_haste=in_haste)
        return None if found is None else state.dag_of(found)

    def paused_dags(self) -> list[SeenDag]:
        """Our DAGs that somebody has paused in Airflow itself."""
        query = f"{_TAGS}&paused=true&limit={_PAGE}&order_by=dag_id"
        found: list[SeenDag] = []
        while True:
            page = self._page(f"/dags?{query}&offset={len(found)}", "dags")
            found += [state.dag_of(one) for one in page]
            if len(page) < _PAGE:
                return found

    def import_errors(self) -> list[tuple[str, str]]:
        """Files of DAGs that Airflow could not load, with the last line of the error."""
        page = self._page(f"/importErrors?limit={_PAGE}", "import_errors")
        errors = []
        for one in page:
            trace = (state.text_of(one, "stack_trace") or "").strip()
            errors.append((state.text_of(one, "filename") or "", trace.rsplit("\n", 1)[-1]))
        return errors

    def parse(self, file_token: str) -> bool:
        """Have a file parsed at once, its bundle brought up to date before; false if unknown."""
        path = f"/parseDagFile/{quote(file_token, safe='')}"
        answer = self._call("PUT", path, attempts=_READS)
        if answer.status == 404:
            return False
        if answer.status != 409:  # that is: asked for already
            _body(answer)
        return True

    def part_states(self, *, in_haste: bool = False) -> dict[str, str]:
        """How Airflow judges its own parts."""
        found = self._get("/monitor/health", in_haste=in_haste)
        if not isinstance(found, dict):
            raise protocol_broken("Airflow tells nothing about its health.")
        return {
            name: state.text_of(part, "status") or "absent"
            for name, part in found.items()
            if isinstance(part, dict)
        }

    def _call(self, method: str, path: str, body: Any = None, *, attempts: int = 1) -> Answer:
        return self._connection.call(Ask(method, f"/api/v2{path}", body), attempts=attempts)

    def _runs(self, query: list[tuple[str, str]]) -> RunPage:
        """A page of runs, asked for in smaller portions when it is too large."""
        limit = _PAGE
        while True:
            path = f"/dags/~/dagRuns?{urlencode([*query, ('limit', str(limit))])}"
            try:
                answer = self._call("GET", path, attempts=_READS)
            except TooLargeError:
                if limit == 1:
                    raise
                limit = max(1, limit // 5)
                continue
            body = _body(answer)
            runs = [state.run_of(one) for one in state.items_of(body, "dag_runs")]
            return RunPage(runs, state.text_of(body, "next_cursor"), answer.at)

    def _get(self, path: str, *, in_haste: bool = False) -> Any:
        if in_haste:
            answer = self._connection.call(Ask("GET", f"/api/v2{path}", timeout_s=_HASTE_S))
        else:
            answer = self._call("GET", path, attempts=_READS)
        return None if answer.status == 404 else _body(answer)

    def _page(self, path: str, name: str) -> Sequence[Any]:
        return state.items_of(self._get(path), name)


def _body(answer: Answer) -> Any:
    if answer.status >= 400:
        raise _refused(answer)
    return answer.body


def _refused(answer: Answer) -> AirflowError:
    return AirflowError(
        f"Airflow refuses what Basecamp asks (HTTP {answer.status}).",
        status_code=answer.status,
        reason=Reason.REFUSED,
    )


def _dag(dag_id: str) -> str:
    return f"/dags/{quote(dag_id, safe='')}"


def _run(dag_id: str, run_id: str) -> str:
    return f"{_dag(dag_id)}/dagRuns/{quote(run_id, safe='')}"
