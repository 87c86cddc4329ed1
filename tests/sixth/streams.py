"""The books' streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tests.sixth.client import BooksStream, Links

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context


class Invoices(BooksStream):
    """Invoices, by cursor."""

    name = "books_invoices"
    path = "/v1/invoices"
    replication_key = "changed_at"
    child_keys = {"invoice_id": "id"}
    references = {"customer_id": "books_customers.id"}


class InvoiceLines(BooksStream):
    """Lines of each invoice."""

    name = "books_invoice_lines"
    path = "/v1/invoices/{invoice_id}/lines"
    parent_stream_type = Invoices
    primary_keys = ("invoice_id", "number")


class Customers(BooksStream):
    """Customers, by links."""

    name = "books_customers"
    path = "/v1/customers"
    paginator_class = Links


class Payments(BooksStream):
    """Payments, which are searched for with a body."""

    name = "books_payments"
    path = "/v1/payments/search"
    http_method = "POST"
    replication_key = "changed_at"

    @override
    def get_url_params(self, context: Context | None, next_page_token: Any) -> dict[str, Any]:
        return {}

    @override
    def prepare_request_payload(self, context: Context | None, next_page_token: Any) -> Any:
        page = self.get_new_paginator().params(next_page_token)
        return {"filter": {"state": "any"}, **page}


DOCUMENTED = (Invoices, InvoiceLines, Customers, Payments)
