"""What a transaction has changed, so that those who wait for it can be told afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from basecamp.store.tally import Tally

if TYPE_CHECKING:
    from basecamp.store.run import RunRow


@dataclass
class ChangeSet:
    """Ids of changed runs and backfills, and what their counters are to become."""

    run_ids: set[str] = field(default_factory=set)
    counts: Tally = field(default_factory=Tally)

    def note(self, row: RunRow) -> None:
        """A run, and so its backfill, has changed."""
        self.run_ids.add(row.run_id)
        if row.backfill_id is not None:
            self.run_ids.add(row.backfill_id)
