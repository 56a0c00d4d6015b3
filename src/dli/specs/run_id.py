"""The ids of runs that follow from a dataset and an instant alone, whoever makes the run."""

from datetime import datetime

from dli.specs.zone import as_utc

__all__ = ["scheduled_run_id"]


def scheduled_run_id(dataset_name: str, instant: datetime) -> str:
    """The id of the scheduled run whose data interval starts at this instant.

    It is the same at each call and no other run has it, so it keeps a fire from running twice. It
    is made of letters, digits and `_ . -` and fits into a file name.
    """
    return f"scheduled__{dataset_name}__{as_utc(instant):%Y%m%dT%H%M%SZ}"
