"""Kept import path of the lineage models."""

from dli.models.lineage import LineageDirection, LineageEdge, LineageNode, LineageResult

__all__ = ["LineageDirection", "LineageEdge", "LineageNode", "LineageResult"]
