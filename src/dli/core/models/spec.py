"""Kept import path of the base of all specs."""

from dli.models.spec import SpecBase

__all__ = ["SpecBase"]
