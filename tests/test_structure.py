"""A stream that lacks a part is told so in one line, before anything else is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_analytics.apis import PACKAGES
from tap_analytics.apis.experimentation.statsig import project
from tap_analytics.engine.registry import ApiPackage, Vendor
from tests.sixth.streams import Payments
from tests.structure import gaps

if TYPE_CHECKING:
    import pytest


def test_nothing_is_missing() -> None:
    assert list(gaps()) == []


def test_what_a_new_stream_lacks_is_listed_with_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    package = next(package for package in PACKAGES if package.api.name == "experimentation")
    vendor = package.upstreams["statsig"]
    new: Any = type("Gizmos", vendor.core[:1], {"name": "experimentation_gizmos"})
    monkeypatch.setattr(project, "STREAMS", (*project.STREAMS, new))
    with_it = Vendor((*vendor.core, new), vendor.package, vendor.subjects)
    schema = (
        "experimentation_gizmos: there is no schema, "
        "tap_analytics/apis/experimentation/schemas/experimentation_gizmos.json"
    )
    assert list(gaps([ApiPackage(package.documented, {"statsig": with_it})])) == [
        schema,
        (
            "experimentation_gizmos: the sandbox has no route, "
            "a Route in tap_analytics/sandbox/contracts/statsig.py"
        ),
        (
            "experimentation_gizmos: the sandbox has no fields, "
            "under 'streams' in tap_analytics/sandbox/contracts/statsig.json"
        ),
        (
            "experimentation_gizmos: its facts are not written down for the tests, "
            "in tests/data/upstreams.json"
        ),
        schema,
    ]


def test_a_new_api_lacks_its_contract() -> None:
    missing = list(gaps([ApiPackage((Payments,), {})]))
    assert missing[0].endswith("tap_analytics/apis/books/schemas/books_payments.json")
    assert missing[1].endswith("a Route in tap_analytics/sandbox/contracts/books.py")
