"""The sales streams."""

from __future__ import annotations

from tap_analytics.apis.sales.client import SalesStream


class Accounts(SalesStream):
    """Companies."""

    name = "accounts"
    path = "/v1/accounts"
    records_jsonpath = "$.sales_accounts[*]"


class Contacts(SalesStream):
    """People."""

    name = "contacts"
    path = "/v1/contacts"
    records_jsonpath = "$.contacts[*]"


class WonDeals(SalesStream):
    """Deals that were won."""

    name = "won_deals"
    path = "/v1/deals"
    records_jsonpath = "$.deals[*]"
    left_out = ("fc_widget_collaboration", "collaboration.convo_token")


class OpenTasks(SalesStream):
    """Tasks still to do."""

    name = "open_tasks"
    path = "/v1/tasks"
    records_jsonpath = "$.tasks[*]"


class PastAppointments(SalesStream):
    """Appointments that are over."""

    name = "past_appointments"
    path = "/v1/appointments"
    records_jsonpath = "$.appointments[*]"


DOCUMENTED = (Accounts, Contacts, WonDeals, OpenTasks, PastAppointments)
