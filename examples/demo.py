"""The whole story in a minute, on real flights: publish, register, run, backfill, stop, look.

Everything happens in a temporary copy of examples/flights, with a Basecamp of its own on a free
port; with `--engine airflow` also with an Airflow of its own. Nothing is mocked; every line that
starts with `$` is a command you can type yourself. At the end, and on Ctrl-C, all that was started
is stopped and the copy removed.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, Self, TypeVar

import duckdb

EXAMPLE = Path(__file__).parent / "flights"
AIRFLOW = Path(__file__).parents[1] / ".airflow" / "venv"
"""Its packages are installed once and kept for the next time."""

IN_GIT = ("flights.analytics.daily_flights", "flights.analytics.airport_delays")
BY_HAND = "flights.analytics.late_routes"
SLOW = "flights.scratch.slow"
SLOW_SPEC = f"""\
name: {SLOW}
owner: you@example.com
team: demo
description: Compares any three flights of the year; it would take years.
query_statement: |
  CREATE OR REPLACE TABLE {SLOW} AS
  SELECT COUNT(*) AS found
  FROM flights.raw.flights a, flights.raw.flights b, flights.raw.flights c
  WHERE a.distance + b.distance < c.distance
"""
MINUTELY = "flights.scratch.minutely"
MINUTELY_SPEC = f"""\
name: {MINUTELY}
owner: you@example.com
team: demo
description: Writes down each minute.
query_statement: |
  CREATE OR REPLACE TABLE {MINUTELY} AS SELECT '{{{{ data_interval_end }}}}' AS minute
"""
ROWS = f"SELECT * FROM {BY_HAND} ORDER BY worst_delay DESC LIMIT 8"
NEXT_STEPS = """\
That was real: a server, {engine}, SQL on DuckDB. All of it is stopped and removed.

Where to look next:
  README.md            a minute with a project of your own
  examples/flights     the project you have just seen; `make serve` starts a Basecamp for it
  docs/cli.md          every command; docs/http-api.md every request
  docs/architecture.md how it works{more}"""
ENGINES = {
    "embedded": ("a scheduler, a worker", ""),
    "airflow": ("an Airflow", "\n  docs/airflow.md      on the Airflow that you have already"),
}
PATIENCE_S = {"embedded": 20, "airflow": 180}

T = TypeVar("T")


class Demo:
    """The story, told in one project folder."""

    def __init__(self, project: Path, engine: str) -> None:
        self.project = project
        self.engine = engine
        self.patience_s = PATIENCE_S[engine]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DLI_", "BASECAMP_"))}
        own = {"DLI_HOME": str(project), "BASECAMP_AIRFLOW_ENVIRONMENT": str(AIRFLOW)}
        self.environment = kept | own

    def __enter__(self) -> Self:
        copy_example(self.project, datasets=IN_GIT)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop Basecamp whatever has happened; another Ctrl-C must not leave it behind."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.call(("down",), stdout=subprocess.PIPE)

    def tell(self) -> None:
        for chapter in (self.publish, self.register, self.run, self.backfill, self.stop):
            chapter()
        if self.engine == "airflow":
            self.lose_basecamp()
        self.look()

    def publish(self) -> None:
        say("Basecamp for this project. Two datasets are in Git: CI publishes them, they are CODE.")
        self.dli("up", *(("--engine", "airflow") if self.engine == "airflow" else ()))
        self.dli("workflow", "publish")

    def register(self) -> None:
        say("Another one is not in Git yet. Whoever writes it registers it by hand: MANUAL.")
        copy_example(self.project, datasets=(BY_HAND,))
        self.dli("workflow", "register", BY_HAND, "--cron", "0 7 * * *", "--timezone", "Asia/Seoul")
        self.dli("workflow", "next", BY_HAND, "-n", "3")

    def run(self) -> None:
        say("One day of it now, with the log.")
        self.dli(
            "workflow", "run", BY_HAND, "-p", "execution_date=2013-02-08", "-p", "top=3", "--follow"
        )

    def backfill(self) -> None:
        say("Seven days, one after the other.")
        days = ("--start", "2013-02-03", "--end", "2013-02-09")
        self.dli("workflow", "backfill", BY_HAND, *days, "-p", "top=3", "--wait")

    def stop(self) -> None:
        say("A run that would take years, stopped while its SQL runs.")
        self.write(SLOW, SLOW_SPEC)
        self.dli("workflow", "register", SLOW, "--cron", "0 0 1 1 *")
        self.dli("workflow", "run", SLOW)
        run_id = self.ask("workflow", "history", "--dataset", SLOW)[0]["run_id"]
        self.wait_for(lambda: self.ask("workflow", "status", run_id)["status"] == "RUNNING")
        self.dli("workflow", "stop", run_id, "--reason", "seen enough")

    def lose_basecamp(self) -> None:
        say("A schedule of each minute. Then Basecamp is killed: Airflow fires by itself.")
        self.write(MINUTELY, MINUTELY_SPEC)
        self.dli("workflow", "register", MINUTELY, "--cron", "* * * * *")
        state = json.loads((self.project / ".dli" / "basecamp.json").read_text())
        print(f"\n$ kill -9 {state['pid']}", flush=True)
        os.kill(state["pid"], signal.SIGKILL)
        killed_at = datetime.now(UTC)
        say("Waiting for the minute to end.")
        log = self.project / ".dli" / "airflow" / "logs" / f"dag_id={MINUTELY}"
        self.wait_for(lambda: any(log.glob("run_id=*/task_id=run/*.log")))
        back_at = datetime.now(UTC)
        self.dli("up")
        self.wait_for(lambda: self.ran_between(killed_at, back_at))
        self.dli("workflow", "history", "--dataset", MINUTELY)
        self.dli("workflow", "unregister", MINUTELY)

    def ran_between(self, killed_at: datetime, back_at: datetime) -> bool:
        runs = self.ask("workflow", "history", "--dataset", MINUTELY, "--status", "COMPLETED")
        return any(killed_at < datetime.fromisoformat(run["started_at"]) < back_at for run in runs)

    def look(self) -> None:
        say("What there is now.")
        self.dli("workflow", "list")
        self.dli("workflow", "history", "--limit", "10")
        say(f"And the rows, as any DuckDB client reads them:\n{ROWS}")
        print(self.wait_for(self.rows))

    def rows(self) -> str | None:
        """`None` while the warehouse holds its file, half a second after the last run."""
        file = self.project / ".dli" / "warehouse" / "flights.duckdb"
        try:
            with duckdb.connect(file, read_only=True) as reader:
                return str(reader.sql(ROWS))
        except duckdb.IOException:
            return None

    def write(self, name: str, spec: str) -> None:
        path = self.project / "datasets" / f"dataset.{name}.yaml"
        path.write_text(spec, encoding="utf-8")

    def dli(self, *words: str) -> None:
        shown = " ".join(f'"{word}"' if " " in word or "*" in word else word for word in words)
        print(f"\n$ dli {shown}", flush=True)
        self.call(words)

    def ask(self, *words: str) -> Any:
        """What a command prints as JSON."""
        return json.loads(self.call((*words, "--format", "json"), stdout=subprocess.PIPE))

    def call(self, words: tuple[str, ...], stdout: int | None = None) -> bytes:
        """Out of reach of Ctrl-C: what has begun ends by itself, then the demo does."""
        command = [sys.executable, "-m", "dli", *words]
        process = subprocess.Popen(
            command,
            env=self.environment,
            cwd=self.project,
            stdout=stdout,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate()
        except KeyboardInterrupt:
            process.communicate(timeout=self.patience_s)
            raise
        if process.returncode != 0:
            raise subprocess.CalledProcessError(process.returncode, command)
        return output

    def wait_for(self, found: Callable[[], T | None]) -> T:
        """What `found` gives as soon as it gives something."""
        deadline = time.monotonic() + self.patience_s
        while not (result := found()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing within {self.patience_s} s")
            time.sleep(0.1)
        return result


def copy_example(project: Path, datasets: tuple[str, ...]) -> None:
    """Everything of the example but its datasets, and of these only some."""
    shutil.copytree(
        EXAMPLE, project, ignore=shutil.ignore_patterns(".dli", "dataset.*"), dirs_exist_ok=True
    )
    for name in datasets:
        for found in EXAMPLE.rglob(f"dataset.{name}.yaml"):
            shutil.copy(found, project / found.relative_to(EXAMPLE))


def say(text: str) -> None:
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    print(f"\n{bold}{text}{plain}", flush=True)


def interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(description="The whole story on real flights.")
    parser.add_argument("--engine", choices=ENGINES, default="embedded")
    engine = parser.parse_args().engine
    signal.signal(signal.SIGTERM, interrupt)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="dli-demo-") as folder,
            Demo(Path(folder, "flights"), engine) as demo,
        ):
            demo.tell()
    except KeyboardInterrupt:
        say("Interrupted; everything is stopped and removed.")
        return 130
    except (subprocess.CalledProcessError, TimeoutError) as error:
        say(f"The demo ends here, it should not: {error}")
        return 1
    parts, more = ENGINES[engine]
    say(NEXT_STEPS.format(engine=parts, more=more))
    return 0


if __name__ == "__main__":
    sys.exit(main())
