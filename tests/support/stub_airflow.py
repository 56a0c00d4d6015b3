"""An HTTP server on loopback that answers like Airflow's REST API v2, and fails when told to."""

import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["Fault", "StubAirflow", "answering"]

Fault = Callable[[BaseHTTPRequestHandler], bool]
"""Told of each request before it is answered; True means that it was dealt with."""


def answering(status: int, body: bytes = b"{}", **headers: str) -> Fault:
    """Every request gets this answer."""

    def answer(request: BaseHTTPRequestHandler) -> bool:
        request.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
        return True

    return answer


class StubAirflow:
    """DAGs and runs in memory. `asked` lists every request as method and path."""

    def __init__(self) -> None:
        self.dags: dict[str, dict[str, Any]] = {}
        self.runs: dict[tuple[str, str], dict[str, Any]] = {}
        self.results: dict[tuple[str, str], Any] = {}
        self.tries: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.lines: dict[tuple[str, str], list[str]] = {}
        """Log lines of the run's newest attempt; without them one that names the attempt."""
        self.import_errors: list[dict[str, str]] = []
        self.asked: list[tuple[str, str]] = []
        self.parsed = 0
        self.token = "token-1"
        self.faults: list[Fault] = []
        """Each is used for one request."""
        self.fault: Fault | None = None
        """Used for all requests."""
        self.lock = threading.Lock()
        self.add_dag("dli_sentinel", tags=())
        handler = type("Handler", (_Handler,), {"stub": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add_dag(
        self, name: str, *, tags: tuple[str, ...] = ("dli:manual",), paused: bool = False
    ) -> dict[str, Any]:
        self.dags[name] = {
            "dag_id": name,
            "is_paused": paused,
            "is_stale": False,
            "last_parsed_time": "2026-01-01T00:00:00Z",
            "file_token": f"token-of-{name}",
            "tags": [{"name": tag} for tag in tags],
        }
        return self.dags[name]

    def add_run(self, dag_id: str, run_id: str, **more: Any) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat()
        self.runs[dag_id, run_id] = {
            "dag_id": dag_id,
            "dag_run_id": run_id,
            "state": "queued",
            "run_type": "manual",
            "run_after": now,
            "queued_at": now,
            "start_date": None,
            "end_date": None,
            "data_interval_start": None,
            "data_interval_end": None,
            "conf": {},
        } | more
        return self.runs[dag_id, run_id]

    def begin(self, dag_id: str, run_id: str) -> None:
        self.runs[dag_id, run_id] |= {"state": "running", "start_date": _now()}

    def go_on(self, dag_id: str, run_id: str, *states: str) -> None:
        """Attempts in these states; the run goes on."""
        self.begin(dag_id, run_id)
        self.tries[dag_id, run_id] = [
            {"try_number": number, "state": state, "start_date": _now()}
            | {"end_date": None if state == "running" else _now()}
            for number, state in enumerate(states, 1)
        ]

    def end(self, dag_id: str, run_id: str, state: str = "success", tries: int = 1) -> None:
        run = self.runs[dag_id, run_id]
        run |= {"start_date": run["start_date"] or _now(), "state": state, "end_date": _now()}
        self.tries[dag_id, run_id] = [
            {"try_number": number, "start_date": _now(), "end_date": _now()}
            | {"state": state if number == tries else "failed"}
            for number in range(1, tries + 1)
        ]

    def triggers(self) -> list[str]:
        return [path for method, path in self.asked if (method, path[-8:]) == ("POST", "/dagRuns")]


def _now() -> str:
    return datetime.now(UTC).isoformat()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that hangs up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    stub: StubAirflow
    protocol_version = "HTTP/1.1"
    timeout = 5

    def log_message(self, *_: Any) -> None: ...

    def version_string(self) -> str:
        return "stub"

    def date_time_string(self, _timestamp: float | None = None) -> str:
        return format_datetime(datetime.now(UTC), usegmt=True)

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_PUT = do_GET  # noqa: N815 - names of the base class

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        stub = self.stub
        with stub.lock:
            stub.asked.append((self.command, self.path))
            fault = stub.faults.pop(0) if stub.faults else stub.fault
        if fault is not None and fault(self):
            return
        try:
            status, answer = self._answer(json.loads(body) if body else None)
        except KeyError:
            status, answer = 404, {"detail": "not found"}
        kind = "application/json"
        if isinstance(answer, bytes):
            kind, data = "application/x-ndjson", answer
        else:
            data = json.dumps(answer).encode()
        answering(status, data, Content_Type=kind)(self)

    def _answer(self, body: Any) -> tuple[int, Any]:
        stub, url = self.stub, urlsplit(self.path)
        if url.path == "/auth/token":
            if body != {"username": "basecamp", "password": "secret"}:
                return 401, {"detail": "Invalid credentials"}
            return 201, {"access_token": stub.token}
        if self.headers.get("Authorization") != f"Bearer {stub.token}":
            return 401, {"detail": "Not authenticated"}
        path = url.path.removeprefix("/api/v2")
        if path == "/monitor/health":
            parts = ("metadatabase", "scheduler", "dag_processor")
            return 200, {name: {"status": "healthy"} for name in parts}
        if path == "/importErrors":
            return 200, {"import_errors": stub.import_errors}
        if path == "/dags":
            return 200, {"dags": [dag for dag in stub.dags.values() if dag["is_paused"]]}
        if path == "/dags/~/dagRuns":
            return self._listing(parse_qs(url.query))
        if path.startswith("/parseDagFile/"):
            stub.parsed += 1
            return 201, None
        return self._of_dag([unquote(part) for part in path.split("/")[2:]], body)

    def _listing(self, query: dict[str, list[str]]) -> tuple[int, Any]:
        wanted = query.get("state", [])
        runs = [r for r in self.stub.runs.values() if not wanted or r["state"] in wanted]
        start = int(query.get("cursor", ["0"])[0] or 0)
        limit = int(query["limit"][0])
        following = str(start + limit) if start + limit < len(runs) else None
        return 200, {"dag_runs": runs[start : start + limit], "next_cursor": following}

    def _of_dag(self, parts: list[str], body: Any) -> tuple[int, Any]:
        stub = self.stub
        match parts:
            case [name]:
                return 200, stub.dags[name]
            case [name, "dagRuns"]:
                dag = stub.dags[name]
                with stub.lock:
                    if (name, body["dag_run_id"]) in stub.runs:
                        return 409, {"detail": {"reason": "Unique constraint violation"}}
                    return 200, stub.add_run(dag["dag_id"], body["dag_run_id"], conf=body["conf"])
            case [name, "dagRuns", run_id]:
                if self.command == "PATCH":
                    stub.runs[name, run_id] |= {"state": body["state"], "end_date": _now()}
                return 200, stub.runs[name, run_id]
            case [name, "dagRuns", run_id, "taskInstances", "run", *rest]:
                return self._of_task((name, run_id), "/".join(rest))
        return 404, {}

    def _of_task(self, key: tuple[str, str], what: str) -> tuple[int, Any]:
        stub = self.stub
        if what == "tries":
            return 200, {"task_instances": stub.tries[key]}
        if what == "xcomEntries/dli_result":
            return 200, {"key": "dli_result", "value": stub.results[key]}
        number = re.fullmatch(r"logs/(\d+)", what)
        assert number is not None
        texts = stub.lines.get(key, [f"attempt {number[1]}"])
        lines = [{"timestamp": _now(), "event": text, "level": "info"} for text in texts]
        if self.headers["Accept"] == "application/x-ndjson":
            return 200, "".join(json.dumps(line) + "\n" for line in lines).encode()
        token = parse_qs(urlsplit(self.path).query).get("token", ["at-0"])[0]
        if not token.startswith("at-"):
            return 400, {"detail": "Bad Signature"}
        goes_on = stub.tries[key][int(number[1]) - 1]["state"] == "running"
        following = f"at-{len(lines)}" if goes_on else None
        return 200, {"content": lines[int(token[3:]) :], "continuation_token": following}
