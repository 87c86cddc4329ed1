"""Further streams of Factorial: cost centers, budgets, and whom the company deals with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_analytics.apis.workforce.factorial.client import FactorialStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_analytics.engine.values.cursors import Window


class CostCenterMemberships(FactorialStream):
    """Who belongs to which cost center, those included who did."""

    name = "workforce_cost_center_memberships"
    path = "/finance/cost_center_memberships"
    fixed_params = {"only_active": "false"}
    references = {
        "cost_center_id": "workforce_cost_centers.id",
        "employee_id": "workforce_employees.id",
    }


class BudgetOptions(FactorialStream):
    """Budgets, inactive and archived ones included."""

    name = "workforce_budget_options"
    path = "/finance/budget_options"
    fixed_params = {"include_inactive": "true", "include_archived": "true"}
    references = {
        "legal_entity_id": "workforce_legal_entities.id",
    }


class FinanceContacts(FactorialStream):
    """Companies and people that the company buys from or sells to."""

    name = "workforce_finance_contacts"
    path = "/finance/contacts"
    primary_keys = ("id", "contact_type")
    context_params = {"contact_type": "contact_type"}

    @override
    def slices(self, window: Window, now: int) -> Iterator[dict[str, Any]]:
        """Yield both kinds of contacts: unless asked, the server gives vendors alone."""
        yield from ({"contact_type": kind} for kind in ("vendor", "client"))


STREAMS = (
    FinanceContacts,
    CostCenterMemberships,
    BudgetOptions,
)
