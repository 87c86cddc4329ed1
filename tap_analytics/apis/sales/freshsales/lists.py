"""Further streams of Freshsales: marketing lists and who is on them."""

from __future__ import annotations

from tap_analytics.apis.sales.freshsales.client import FreshsalesStream
from tap_analytics.apis.sales.freshsales.core import Contacts


class Lists(FreshsalesStream):
    """Marketing lists."""

    name = "sales_lists"
    path = "/lists"
    records_jsonpath = "$.lists[*]"
    child_keys = {"list_id": "id"}


class ListContacts(FreshsalesStream):
    """Contacts on each list: one row for every list that they are on."""

    name = "sales_list_contacts"
    path = "/contacts/lists/{list_id}"
    parent_stream_type = Lists
    records_jsonpath = "$.contacts[*]"
    primary_keys = ("list_id", "id")
    references = {**Contacts.references, "id": "contacts.id"}


STREAMS = (
    Lists,
    ListContacts,
)
