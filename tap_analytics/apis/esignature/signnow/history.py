"""Further streams of SignNow: what happened to documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.apis.esignature.signnow.client import SignNowStream
from tap_analytics.apis.esignature.signnow.core import UserModifiedDocuments
from tap_analytics.engine.pages.pagination import Unpaged

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class DocumentHistory(SignNowStream):
    """Events of each document that was changed, such as views and signatures."""

    name = "esignature_document_history"
    path = "/document/{document_id}/historyfull"
    by_default = False
    parent_stream_type = UserModifiedDocuments
    paginator_class = Unpaged
    records_jsonpath = "$[*]"
    primary_keys = ("document_id", "unique_id")
    append_only = True

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Let what an event says stand for its id, which that of the creation lacks."""
        kept = super().post_process(row, context)
        if kept is not None and kept.get("unique_id") is None:
            kept["unique_id"] = self.digest(kept)
        return kept


STREAMS = (DocumentHistory,)
