"""Further streams of Freshsales: pipelines, their stages, and the other choices of deals."""

from __future__ import annotations

from typing import Any

from tap_analytics.apis.sales.freshsales.selectors import Choices


class DealPipelines(Choices):
    """Pipelines of deals, with their stages."""

    name = "sales_deal_pipelines"
    path = "/selector/deal_pipelines"
    records_jsonpath = "$.deal_pipelines[*]"
    child_keys = {"deal_pipeline_id": "id"}


class DealStages(Choices):
    """Stages of all pipelines, from the pipelines themselves."""

    name = "sales_deal_stages"
    path = "/selector/deal_pipelines/{deal_pipeline_id}/deal_stages"
    parent_stream_type = DealPipelines
    inside = "deal_stages"
    inside_always = False
    records_jsonpath = "$.deal_stages[*]"

    def unwrap(self, body: Any) -> Any:
        """Return the stages of a pipeline as the list that is asked for has them."""
        return {"deal_stages": body} if isinstance(body, list) else super().unwrap(body)


class DealReasons(Choices):
    """Reasons why deals were lost."""

    name = "sales_deal_reasons"
    path = "/selector/deal_reasons"
    records_jsonpath = "$.deal_reasons[*]"


class DealTypes(Choices):
    """Types of deals."""

    name = "sales_deal_types"
    path = "/selector/deal_types"
    records_jsonpath = "$.deal_types[*]"


class DealProducts(Choices):
    """Products that a deal can be about: a list of names, not the catalog."""

    name = "sales_deal_products"
    path = "/selector/deal_products"
    records_jsonpath = "$.deal_products[*]"


class DealPaymentStatuses(Choices):
    """Statuses of payment of deals."""

    name = "sales_deal_payment_statuses"
    path = "/selector/deal_payment_statuses"
    records_jsonpath = "$.deal_payment_statuses[*]"


STREAMS = (
    DealPipelines,
    DealStages,
    DealReasons,
    DealTypes,
    DealProducts,
    DealPaymentStatuses,
)
