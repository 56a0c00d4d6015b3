"""Kept import path of the executors."""

from dli.warehouse.executor import BaseExecutor, MockExecutor, QueryExecutor

__all__ = ["BaseExecutor", "MockExecutor", "QueryExecutor"]
