"""Keys of rows that have none of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.apis.esignature.signnow.history import DocumentHistory
from tap_analytics.apis.experimentation.streams import Events
from tap_analytics.apis.workforce.factorial.keys import OptionalId
from tap_analytics.tap import TapAnalytics

if TYPE_CHECKING:
    from tap_analytics.engine.stream import AnalyticsStream


class Secretive(Events):
    """Rows with a secret that is made anew with every answer, at the top and inside."""

    left_out = ("token", "metadata.token")


class History(DocumentHistory):
    """The same, in the events of documents."""

    left_out = ("token", "metadata.token")


class Costs(OptionalId):
    """The same, in expenses."""

    name = "workforce_expenses"
    path = "/resources/expenses/expenses"

    left_out = ("token", "metadata.token")


@pytest.mark.parametrize(
    ("kind", "key"), [(Secretive, "row_key"), (History, "unique_id"), (Costs, "id")]
)
def test_what_is_left_out_does_not_count(kind: type[AnalyticsStream], key: str) -> None:
    config = {"experimentation_api_key": "key", "experimentation_upstream": "statsig"}
    stream = kind(TapAnalytics(config=config))

    def made(**fields: Any) -> Any:
        row = stream.post_process({"name": "a", **fields})
        assert row is not None
        return row[key]

    keys = {made(token=secret, metadata={"token": secret, "size": 1}) for secret in "abc"}
    assert len(keys) == 1
    assert keys == {made(metadata={"size": 1})}
    assert made(metadata={"size": 2}) not in keys
