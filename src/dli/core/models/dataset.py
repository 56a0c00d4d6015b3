"""Kept import path of the dataset spec."""

from dli.models.dataset import DatasetSpec

__all__ = ["DatasetSpec"]
