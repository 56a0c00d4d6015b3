"""What a worker process can be asked beside runs: each subject and the function that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from basecamp.engines.embedded import (
    inquiry_catalog,
    inquiry_dataset,
    inquiry_lineage,
    inquiry_metric,
    inquiry_quality,
)
from basecamp.engines.embedded.desk import Desk

Answering = Callable[[Desk, Mapping[str, Any]], dict[str, Any]]
"""Gets JSON values and gives JSON values; a `DLIError` that it raises goes to the caller."""

SUBJECTS: Mapping[str, Answering] = {
    "catalog.sizes": inquiry_catalog.sizes,
    "catalog.table": inquiry_catalog.table,
    "catalog.tables": inquiry_catalog.tables,
    "dataset.check": inquiry_dataset.check,
    "dataset.run": inquiry_dataset.run,
    "lineage.columns": inquiry_lineage.columns,
    "lineage.tables": inquiry_lineage.tables,
    "metric.run": inquiry_metric.run,
    "quality.run": inquiry_quality.run,
    "sql.run": inquiry_dataset.run_sql,
}
