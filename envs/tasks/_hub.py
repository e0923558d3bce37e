"""Math data sets of a hub: their test split stays the test split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from corgi_gym.envs.data import Row, RowSource, is_hub_id, load_rows


class HubRows(RowSource):
    """Rows with a published test split.

    Of a hub id, ``split="test"`` is the published test split, and the published training split is
    divided into ``"train"`` (with what would be our test share) and ``"validation"``. A local file
    or rows in memory have one part only, which is divided by content as usual.
    """

    fields: Mapping[str, type]

    def __init__(self, data: str | Path | Iterable[Mapping[str, Any]]) -> None:
        super().__init__(self._keep(load_rows(data, self.fields, split="train")))
        if is_hub_id(data):
            train = self.drafts
            self.drafts = {}
            super().__init__(self._keep(load_rows(data, self.fields, split="test")))
            test = [draft for part in self.drafts.values() for draft in part]
            keys = {draft.key for draft in test}
            self.drafts = {
                "train": [
                    d for d in train.get("train", []) + train.get("test", []) if d.key not in keys
                ],
                "validation": [d for d in train.get("validation", []) if d.key not in keys],
                "test": test,
            }

    def _keep(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows that the options ask for; all of them here."""
        return rows
