"""Further streams of Freshsales: deals, whatever became of them, and what was sold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_analytics.apis.sales.freshsales.core import LostDeals, OpenDeals, WonDeals
from tap_analytics.apis.sales.freshsales.selectors import Choices

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context

_VIEWS = tuple(stream.view for stream in (OpenDeals, WonDeals, LostDeals))


class Deals(WonDeals):
    """Deals that are open, won or lost, in one table; there is often no view of all of them."""

    name = "sales_deals"
    child_keys = {"deal_id": "id"}
    fixed_params = {
        **WonDeals.fixed_params,
        "include": f"{WonDeals.fixed_params['include']},products",
    }

    def preprocess_context(  # type: ignore[override]
        self, context: Context
    ) -> Context | None:
        """Lead to the lists of the three views, in whatever case their names are written."""
        name = str(context["view_name"]).strip().casefold()
        known = (view for view in _VIEWS if view.casefold() == name)
        return next(({**context, "view_name": view} for view in known), None)

    def verdict(self, lists: int) -> str | None:
        """Miss the views where less than three led to it."""
        names = ", ".join(map(repr, _VIEWS))
        return None if lists >= len(_VIEWS) else f"its parent has not all of {names}"


class DealLineItems(Choices):
    """Products of the catalog in each deal, from the deals themselves where they hold them."""

    name = "sales_deal_line_items"
    path = "/deals/{deal_id}"
    parent_stream_type = Deals
    by_default = False
    inside = "products"
    inside_always = False
    records_jsonpath = "$.deal.products[*]"
    primary_keys = ("deal_id", "association_id")
    fixed_params = {"include": "products"}
    references = {"owner_id": "sales_owners.id"}

    def unwrap(self, body: Any) -> Any:
        """Return the products of a deal as the deal that is asked for has them."""
        return {"deal": {"products": body}} if isinstance(body, list) else super().unwrap(body)


STREAMS = (
    Deals,
    DealLineItems,
)
