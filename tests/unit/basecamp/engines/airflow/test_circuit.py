"""Calls are kept away from an Airflow that fails, and come back by themselves."""

from datetime import timedelta
from typing import Any

import pytest

from basecamp.engines.airflow.circuit import Circuit
from basecamp.engines.airflow.fault import AirflowError, Reason, unreachable


def test_it_opens_after_five_failures_in_a_row(circuit: Circuit) -> None:
    for _ in range(4):
        circuit.failed(unreachable("away"))
        circuit.admit()
    circuit.succeeded()
    for _ in range(5):
        circuit.admit()
        circuit.failed(unreachable("away"))
    with pytest.raises(AirflowError) as refused:
        circuit.admit()
    assert refused.value.reason is Reason.UNREACHABLE
    assert refused.value.details["retry_after"] >= 1
    assert circuit.is_open


def test_one_call_at_a_time_is_let_through_to_try(circuit: Circuit, clock: Any) -> None:
    for _ in range(5):
        circuit.failed(unreachable("away"))
    clock.advance(timedelta(seconds=31))
    circuit.admit()
    with pytest.raises(AirflowError):
        circuit.admit()
    circuit.succeeded()
    circuit.admit()
    circuit.admit()
    assert circuit.fault is None


def test_it_asks_less_and_less_often_but_goes_on(circuit: Circuit, clock: Any) -> None:
    for _ in range(5):
        circuit.failed(unreachable("away"))
    calls = 0
    for _ in range(600):
        clock.advance(timedelta(seconds=1))
        try:
            circuit.admit()
        except AirflowError:
            continue
        calls += 1
        circuit.failed(unreachable("away"))
    assert 20 <= calls <= 60


def test_every_fault_is_counted(clock: Any) -> None:
    told: list[str] = []
    circuit = Circuit(clock, told.append)
    circuit.failed(unreachable("away"))
    circuit.failed(AirflowError("no", reason=Reason.AUTH))
    assert told == ["engine_unreachable", "engine_auth"]
