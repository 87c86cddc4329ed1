"""A list that a test serves itself, in an API's dialect, and changes as it likes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Request
    from tests.helpers.support import Record


def _workforce(rows: list[Record], total: int, start: int, _: int) -> Record:
    more = start + len(rows) < total
    return {"data": rows, "meta": {"total": total, "has_next_page": more}}


def _status_page(rows: list[Record], _: int, __: int, ___: int) -> Record:
    return {"data": rows}


def _experimentation(rows: list[Record], total: int, start: int, __: int) -> Record:
    after = "there is more" if rows and start + len(rows) < total else None
    return {"data": rows, "pagination": {"totalItems": total, "nextPage": after}}


def _sales(rows: list[Record], total: int, _: int, size: int) -> Record:
    return {"sales_accounts": rows, "meta": {"total": total, "total_pages": -(-total // size)}}


def _esignature(rows: list[Record], total: int, _: int, size: int) -> Record:
    pagination = {"total": total, "total_pages": -(-total // size)}
    return {"data": rows, "meta": {"pagination": pagination}}


DIALECTS: dict[str, Callable[[list[Record], int, int, int], Record]] = {
    "public_credentials": _workforce,
    "tasks": _workforce,
    "subscribers": _status_page,
    "tags": _status_page,
    "autotunes": _experimentation,
    "audit_logs": _experimentation,
    "accounts": _sales,
    "crm_contacts": _esignature,
}
"""For each stream that can be served, how its answers look."""
APIS = {
    "public_credentials": "workforce",
    "tasks": "workforce",
    "subscribers": "status_page",
    "tags": "experimentation",
    "autotunes": "experimentation",
    "audit_logs": "experimentation",
    "accounts": "sales",
    "crm_contacts": "esignature",
}
SILENT = frozenset({"subscribers", "tags"})
"""Streams whose answers say nothing about the whole list."""
NUMBERED = frozenset({"accounts", "tasks"})
"""Streams whose ids are numbers."""


def row_of(number: int) -> Record:
    """Return a row that fits each of these streams."""
    when = 1_750_000_000_000 + number * 1000
    return {
        "id": f"row {number}",
        "updated_at": f"2026-01-01T00:00:{number % 60:02d}Z",
        "lastModifiedTime": when,
        "meta": {"updated_at": when // 1000},
    }


def rows_of(stream: str, count: int) -> list[Record]:
    """Return rows for one of these streams."""
    rows = [row_of(number) for number in range(count)]
    if stream in NUMBERED:
        rows = [{**row, "id": number} for number, row in enumerate(rows)]
    return rows


class ServedList:
    """The rows of one stream as a fault for the sandbox.

    Attributes:
        stream: Whose rows they are.
        rows: The rows, to be changed by `before`.
        asked: The numbers of rows before the pages that were asked for, in order.
        before: Called before each answer with this list and the rows before its page.
        cap: Rows a page holds at most, whatever is asked for.
        total: What answers say the number of rows is, where that is not the truth.
        tells: Makes what stands beside the rows of a page, where that is not the dialect's.
        ignores_page: Whether every page is the first.
        clamps: Whether pages beyond the end are the last page again.
    """

    def __init__(self, stream: str, count: int) -> None:
        """Start with so many rows."""
        self.stream = stream
        self.rows = rows_of(stream, count)
        self.asked: list[int] = []
        self.before: Callable[[ServedList, int], Any] = lambda _, __: None
        self.cap: int | None = None
        self.total: int | None = None
        self.tells: Callable[[list[Record]], Record] | None = None
        self.ignores_page = False
        self.clamps = False

    @property
    def ids(self) -> list[Any]:
        """The ids as they are now, sorted."""
        return sorted(row["id"] for row in self.rows)

    def __call__(self, request: Request) -> Answer | None:
        """Answer a request for this stream."""
        if request.stream != self.stream:
            return None
        params = request.params
        size = int(params.get("limit") or params["per_page"])
        size = min(size, self.cap or size)
        start = int(params["offset"]) if "offset" in params else (int(params["page"]) - 1) * size
        self.asked.append(start)
        replaced = self.before(self, start)
        if isinstance(replaced, Answer):
            return replaced
        if self.clamps:
            start = min(start, (len(self.rows) - 1) // size * size)
        if self.ignores_page:
            start = 0
        rows = self.rows[start : start + size]
        total = len(self.rows) if self.total is None else self.total
        body = DIALECTS[self.stream](rows, total, start, size)
        if self.tells is not None:
            body = {"data": rows, **self.tells(rows)}
        return Answer(body=json.dumps(body).encode())
