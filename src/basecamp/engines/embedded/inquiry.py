"""What a worker process can be asked beside runs: each subject and the function that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from basecamp.engines.embedded import inquiry_dataset, inquiry_lineage
from basecamp.engines.embedded.desk import Desk

Answering = Callable[[Desk, Mapping[str, Any]], dict[str, Any]]
"""Gets JSON values and gives JSON values; a `DLIError` that it raises goes to the caller."""

SUBJECTS: Mapping[str, Answering] = {
    "dataset.check": inquiry_dataset.check,
    "lineage.tables": inquiry_lineage.tables,
}
