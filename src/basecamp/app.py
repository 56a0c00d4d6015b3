"""The composition root: every part of the server is made and connected here."""

from __future__ import annotations

from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import FastAPI

from basecamp import state_dir
from basecamp.auth import GuessLimit, load_token
from basecamp.clock import Clock, SystemClock
from basecamp.engines.embedded.engine import EmbeddedEngine, EmbeddedSettings
from basecamp.engines.leadership import ElectedLeadership, leadership_on
from basecamp.engines.observer import Observer
from basecamp.gate import Gate
from basecamp.rate import Allowances, RequestRates
from basecamp.routes import (
    audit,
    catalog,
    dataset,
    health,
    lineage,
    login,
    metric,
    problem,
    publish,
    quality,
    run,
    sql,
    token,
    transpile,
    workflow,
)
from basecamp.routes.access import Site
from basecamp.routes.vigil import Vigil
from basecamp.routes.watch import RunWatch
from basecamp.services.audit import AuditService
from basecamp.services.backfill import BackfillService
from basecamp.services.catalog import CatalogService
from basecamp.services.execution import ExecutionService
from basecamp.services.health import HealthService
from basecamp.services.identity import Identities
from basecamp.services.lineage import LineageService
from basecamp.services.login import LoginService
from basecamp.services.notification import Notifications
from basecamp.services.publish import PublishService
from basecamp.services.quality import QualityService
from basecamp.services.quality_schedule import QualitySchedule
from basecamp.services.reconcile import ReconcileLoop, Reconciler
from basecamp.services.registry import RegistryService
from basecamp.services.retention import Keeping, Retention
from basecamp.services.run import RunService
from basecamp.services.token import TokenService
from basecamp.services.transpile import TranspileService
from basecamp.services.workflow import WorkflowService
from basecamp.specstore.index import SpecIndex
from basecamp.specstore.location import open_spec_store
from basecamp.store import expiry, schema, tally, tick
from basecamp.store.database import Database
from basecamp.telemetry import Figures, Metrics, Vitals
from dli import __version__
from dli.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from basecamp.engines.airflow.assembly import Surroundings
    from basecamp.engines.airflow.supervisor import AirflowSupervisor
    from basecamp.engines.base import Engine
    from basecamp.settings import Settings
    from basecamp.specstore.base import SpecStore


@dataclass(eq=False, repr=False)
class StoreUnusableError(ConfigurationError):
    """The state store is damaged or of a newer version; it was left as it is."""


class Basecamp:
    """One server on one state directory: open it, start it, stop it."""

    def __init__(
        self, settings: Settings, *, engine: Engine | None = None, clock: Clock | None = None
    ) -> None:
        """Take the state directory and open what lies there.

        Raises:
            StateInUseError: another server has it.
            StoreUnusableError: the store cannot be used.
            ConfigurationError: directory or token is not safe.
        """
        self.settings = settings
        with ExitStack() as held:
            state_dir.prepare(settings.state_dir)
            held.enter_context(state_dir.StateLock(settings.state_dir / "lock"))
            state_dir.check_engine(settings.state_dir, settings.engine)
            self.token = load_token(settings.state_dir / "token")
            self.database = _open_database(settings)
            held.callback(self.database.close)
            self._supervisor = None if engine else _supervisor(settings)
            if self._supervisor is not None:
                held.callback(self._supervisor.stop)
                self._supervisor.start()
            self._connect(engine, clock or SystemClock())
            self.retention = self._make_retention(clock or SystemClock())
            self._held = held.pop_all()

    def _connect(self, engine: Engine | None, clock: Clock) -> None:
        settings, database, root = self.settings, self.database, self.settings.state_dir
        leads = self.leadership = leadership_on(database)
        files = open_spec_store(settings.spec_store_url, root / "store", settings.destinations)
        had_code = files.prepare()
        metrics = Metrics(self._figures, self._vitals)
        self.observer = observer_for(metrics)
        self.notifications = Notifications(leads, settings.notify, clock, metrics.count_message)
        self.engine = engine or self._make_engine(files, clock)
        workflows = WorkflowService(database, self.engine, files, clock)
        lineage_service = LineageService(database, self.engine, self.settings.project)
        identities = Identities(self.token, database, clock)
        starts = Allowances("runs", self.settings.run_rate)
        self.site = Site(
            identities=identities,
            guesses=GuessLimit(),
            rates=RequestRates(self.settings.read_rate, self.settings.change_rate),
            tokens=TokenService(database, identities, clock),
            logins=self._logins(identities, clock),
            metrics=metrics,
            health=HealthService(database, self.engine),
            watch=RunWatch(),
            vigil=Vigil(),
            audit=AuditService(database, clock),
            workflows=workflows,
            runs=RunService(database, self.engine, clock, starts=starts, observer=self.observer),
            backfills=BackfillService(database, self.engine, clock),
            publishing=PublishService(database, self.engine, files, clock),
            datasets=RegistryService(database, self.engine, clock, "dataset"),
            metric_specs=RegistryService(database, self.engine, clock, "metric"),
            execution=ExecutionService(database, self.engine, clock, starts=starts),
            quality=QualityService(database, self.engine, clock, project=self.settings.project),
            transpile=TranspileService(self.settings.project),
            lineage=lineage_service,
            catalog=CatalogService(
                database, self.engine, lineage_service, project=self.settings.project, clock=clock
            ),
        )
        self.engine.subscribe(self.site.watch.notify)
        (root / "store").mkdir(mode=0o700, exist_ok=True)
        index = SpecIndex(root / "store" / "index.json")
        self.reconciler = Reconciler(
            self.leadership, self.engine, workflows, files=files, index=index, clock=clock
        )
        self.reconciler.subscribe(self.notifications.wake)
        self.site.publishing.subscribe(self.notifications.wake)
        self.quality_schedule = QualitySchedule(
            self.leadership, self.site.quality.run_kept, clock, on_message=self.notifications.wake
        )
        self.site.quality.subscribe(self.quality_schedule.wake)
        if not had_code:
            self.reconciler.restore_code()
        self.loop = ReconcileLoop(
            self.reconciler,
            self.settings.reconcile_seconds,
            is_wanted=lambda: self.leadership.term is not None,
        )

    def _logins(self, identities: Identities, clock: Clock) -> LoginService:
        people, workloads = self.settings.people, self.settings.workloads
        return LoginService(self.database, identities, clock, people=people, workloads=workloads)

    def _make_engine(self, files: SpecStore, clock: Clock) -> Engine:
        if self.settings.engine == "embedded":
            return self._embedded(clock)
        from basecamp.engines.airflow.assembly import Surroundings  # loads an HTTP library
        from basecamp.engines.airflow.handover import begin_handover

        if state_dir.noted_engine(self.settings.state_dir) == "embedded":
            begin_handover(self.settings.state_dir)
        around = Surroundings(self.leadership, files, clock, self.observer)
        return _airflow(self.settings, self._supervisor, around)

    def _make_retention(self, clock: Clock) -> Retention:
        settings = self.settings
        keeping = Keeping(
            days=settings.keep_days,
            runs=settings.keep_runs,
            log_days=settings.keep_log_days,
            logs_dir=self._shared_dir / "logs",
        )
        return Retention(self.leadership, keeping, clock, self.site.metrics.count_expired)

    @property
    def _shared_dir(self) -> Path:
        """Where logs lie: servers of one project show each other's."""
        settings = self.settings
        return settings.project / ".dli" if settings.database_url else settings.state_dir

    def _embedded(self, clock: Clock) -> Engine:
        settings = self.settings
        state = self._shared_dir
        state.mkdir(mode=0o700, exist_ok=True)
        own = EmbeddedSettings(
            project=settings.project,
            state_dir=state,
            slots=settings.worker_slots,
            template_env=settings.template_env,
            worker_idle_s=settings.worker_idle_seconds,
            worker_memory_mb=settings.worker_memory_mb,
        )
        return EmbeddedEngine(
            self.leadership,
            own,
            clock,
            on_message=self.notifications.wake,
            observer=self.observer,
        )

    def start(self, on_ready: Callable[[], None] | None = None) -> None:
        """Begin to schedule; `on_ready` is called once store and files have been compared."""

        def ready() -> None:
            self.site.health.is_ready = True
            if on_ready is not None:
                on_ready()

        state_dir.note_engine(self.settings.state_dir, self.settings.engine)
        if isinstance(self.leadership, ElectedLeadership):
            self._run_for_office(self.leadership)
        self.engine.start()
        self._held.callback(self.engine.stop)
        self.notifications.start()
        self._held.callback(self.notifications.stop)
        self.quality_schedule.start()
        self._held.callback(self.quality_schedule.stop)
        self.retention.start()
        self._held.callback(self.retention.stop)
        self.loop.start(ready)
        self._held.callback(self.loop.stop)

    def _run_for_office(self, leadership: ElectedLeadership) -> None:
        from basecamp.store.notice import Notices  # loads the driver of PostgreSQL

        def look() -> None:
            self.engine.wake()
            self.site.watch.notify_all()

        leadership.subscribe(self.engine.wake)
        leadership.subscribe(self.loop.request)
        leadership.start()
        self._held.callback(leadership.stop)
        notices = Notices(self.database, look)
        notices.start()
        self._held.callback(notices.stop)

    def retire(self) -> None:
        """Say that the server is about to end: not ready any more, nobody is kept waiting."""
        self.site.health.is_ready = False
        self.site.watch.close()
        self.site.vigil.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End every part, the last one started first, and give the state directory back."""
        self._held.close()

    def _figures(self) -> Figures:
        with self.database.read() as tx:
            runs = expiry.counts(tx)
            runs.update(tally.by_status(tx))
            return Figures(runs, tick.totals(tx))

    def _vitals(self) -> Vitals:
        found = self.site.health.look()
        return Vitals(
            parts={part: part not in found.failing for part in found.parts},
            is_leader=self.leadership.term is not None,
            tick_age_s=found.tick_age_s,
            store_busy_count=self.database.busy_count,
        )


def create_app(basecamp: Basecamp) -> Gate:
    """The ASGI application of a server; the server must be started before the first request."""
    names, metrics = basecamp.settings.host_names, basecamp.site.metrics
    return Gate(create_api(basecamp), host_names=names, metrics=metrics)


def create_api(basecamp: Basecamp) -> FastAPI:
    """The routes alone, without what every request passes around them."""

    @asynccontextmanager
    async def bound(_app: FastAPI) -> AsyncIterator[None]:
        basecamp.site.watch.bind()
        yield

    app = FastAPI(
        title="Basecamp",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=bound,
    )
    app.state.site = basecamp.site
    parts = (
        run,
        publish,
        workflow,
        dataset,
        metric,
        quality,
        sql,
        catalog,
        lineage,
        transpile,
        audit,
        login,
        token,
        health,
    )
    for part in parts:  # fixed segments before names
        app.include_router(part.router)
    problem.add_handlers(app)
    return app


def _open_database(settings: Settings) -> Database:
    path = settings.state_dir / "basecamp.db"
    database = Database(settings.database_url) if settings.database_url else Database.at(path)
    try:
        schema.prepare(database.engine)
    except ConfigurationError as exc:
        database.close()
        raise StoreUnusableError(exc.message) from exc
    if not settings.database_url:
        database.keep_reserve(settings.state_dir / "reserve")
    return database


def observer_for(metrics: Metrics) -> Observer:
    """Brings into the metrics what happens to runs."""

    def progressed(counts: tally.Tally) -> None:
        for seconds in counts.delays_s:
            metrics.observe_delay(seconds)
        for took in counts.durations:
            metrics.observe_run(took.status, took.run_type, took.seconds)

    return Observer(progressed, metrics.count_engine_error)


def _supervisor(settings: Settings) -> AirflowSupervisor | None:
    if settings.engine != "airflow" or not settings.airflow_managed:
        return None
    from basecamp.engines.airflow.supervisor import AirflowSupervisor  # loads an HTTP library

    is_new = state_dir.noted_engine(settings.state_dir) == "embedded"
    return AirflowSupervisor(settings, is_new=is_new)


def _airflow(
    settings: Settings, supervisor: AirflowSupervisor | None, around: Surroundings
) -> Engine:
    from basecamp.engines.airflow.assembly import Access, CheckerSettings, assemble

    access = Access(
        url=settings.airflow_url,
        username=settings.airflow_username,
        password=settings.airflow_password,
        token=settings.airflow_token,
    )
    checking = CheckerSettings(
        project=settings.project,
        state_dir=settings.state_dir,
        template_env=settings.template_env,
        worker_idle_s=settings.worker_idle_seconds,
        worker_memory_mb=settings.worker_memory_mb,
    )
    return assemble(around, access if supervisor is None else supervisor.access, checking)
