"""Further streams of Freshsales: which fields records have, the account's own among them."""

from __future__ import annotations

from tap_analytics.apis.sales.freshsales.selectors import Choices


class Fields(Choices):
    """Base of the lists of fields; a field's name is that of its column."""

    records_jsonpath = "$.fields[*]"
    primary_keys = ("name",)
    fixed_params = {"include": "field_group"}


class ContactFields(Fields):
    """Fields of contacts."""

    name = "sales_contact_fields"
    path = "/settings/contacts/fields"


class AccountFields(Fields):
    """Fields of companies."""

    name = "sales_account_fields"
    path = "/settings/sales_accounts/fields"


class DealFields(Fields):
    """Fields of deals."""

    name = "sales_deal_fields"
    path = "/settings/deals/fields"


class ActivityFields(Fields):
    """Fields of sales activities."""

    name = "sales_activity_fields"
    path = "/settings/sales_activities/fields"


class Modules(Choices):
    """Kinds of records, those that the account made for itself among them."""

    name = "sales_custom_modules"
    path = "/settings/module_customizations"
    records_jsonpath = "$.module_customizations[*]"
    primary_keys = ("entity_name",)


STREAMS = (
    ContactFields,
    AccountFields,
    DealFields,
    ActivityFields,
    Modules,
)
