from typing import ClassVar

from airflow.timetables.base import Timetable

class AirflowPlugin:
    name: ClassVar[str]
    timetables: ClassVar[list[type[Timetable]]]
