"""Rows of Factorial that may come without their key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_analytics.apis.workforce.factorial.client import FactorialStream

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class OptionalId(FactorialStream):
    """Base of the streams whose rows need not have an id: what they hold stands for it then."""

    may_repeat = True

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Fill in the id where there is none."""
        kept = super().post_process(row, context)
        if kept is not None and kept.get("id") is None:
            kept["id"] = self.digest(kept)
        return kept
