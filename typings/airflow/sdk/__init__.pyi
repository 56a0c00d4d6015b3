from collections.abc import Callable, Collection, Mapping, MutableMapping
from datetime import timedelta
from typing import Any, NamedTuple

from airflow.timetables.base import Timetable

class ParsingContext(NamedTuple):
    dag_id: str | None
    task_id: str | None

def get_parsing_context() -> ParsingContext: ...

class Param:
    def __init__(
        self, default: object = ..., description: str | None = ..., **schema: object
    ) -> None: ...

class DAG:
    dag_id: str
    fileloc: str
    params: MutableMapping[str, Param]
    def __init__(
        self,
        dag_id: str,
        *,
        schedule: Timetable | None = ...,
        description: str | None = ...,
        catchup: bool = ...,
        max_active_runs: int = ...,
        is_paused_upon_creation: bool | None = ...,
        tags: Collection[str] = ...,
        doc_md: str | None = ...,
        on_failure_callback: Callable[[Mapping[str, Any]], None] | None = ...,
        on_success_callback: Callable[[Mapping[str, Any]], None] | None = ...,
    ) -> None: ...
    def validate(self) -> None: ...

class BaseOperator:
    task_id: str
    dag: DAG
    retries: int
    def __init__(
        self,
        *,
        task_id: str,
        dag: DAG | None = ...,
        owner: str = ...,
        retries: int = ...,
        retry_delay: timedelta = ...,
        execution_timeout: timedelta | None = ...,
        max_active_tis_per_dag: int | None = ...,
    ) -> None: ...
    def execute(self, context: Mapping[str, Any]) -> Any: ...
    def on_kill(self) -> None: ...
