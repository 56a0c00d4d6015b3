"""What Airflow finds of this package by itself."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from dli_airflow.timetable import DatasetTimetable

__all__ = ["DliPlugin"]


class DliPlugin(AirflowPlugin):
    name = "dli"
    timetables = [DatasetTimetable]  # noqa: RUF012 - as Airflow declares it
