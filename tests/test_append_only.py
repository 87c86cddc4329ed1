"""Streams whose source forgets old rows: what is not there any more was not deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.helpers.support import run_tap, settings
from tests.helpers.vendors import BY_NAME, vendor_catalog
from tests.helpers.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Sandbox

FORGETTING = {
    "esignature_logs": "signnow",
    "esignature_document_history": "signnow",
    "audit_logs": "statsig",
}
LASTING = "gates"
MORE = {
    "all_streams": True,
    "emit_activate_version_messages": True,
    "full_read_every_days": 0,
    "start_date": None,
}


def test_what_a_source_forgets_stays(open_sandbox: Callable[..., Sandbox]) -> None:
    """Every run reads in full, and the rows that are gone at the source stay at the target."""
    variants = [f"{vendor}.{stream}=forgets" for stream, vendor in FORGETTING.items()]
    sandbox = open_sandbox(records=60, upstreams=True, variants=variants, token_seconds=10**9)
    store, warehouse = sandbox.store, Warehouse()
    selected = vendor_catalog(sandbox, *FORGETTING, LASTING)
    keys: dict[str, set[tuple[Any, ...]]] = {stream: set() for stream in FORGETTING}
    versions = []
    for turn in range(4):
        result = run_tap(settings(sandbox, **MORE), catalog_=selected, state=warehouse.state)
        assert result.status == 0, result.stderr[-2000:]
        warehouse.take(result.lines)
        versions += [line["stream"] for line in result.of("ACTIVATE_VERSION")]
        for stream in FORGETTING:
            names = BY_NAME[stream].keys
            keys[stream] |= {tuple(row[name] for name in names) for row in store.expected(stream)}
        store.advance(30)
        store.delete(LASTING, turn)
    assert set(versions) == {LASTING}
    assert len(versions) == 4
    for stream, seen in keys.items():
        kept = {tuple(row[name] for name in BY_NAME[stream].keys) for row in warehouse.rows(stream)}
        assert kept == seen
        assert len(store.expected(stream)) < len(seen)
