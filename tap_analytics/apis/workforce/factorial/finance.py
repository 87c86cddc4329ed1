"""Further streams of Factorial: cost centers, budgets, and whom the company deals with."""

from __future__ import annotations

from tap_analytics.apis.workforce.factorial.client import FactorialStream


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


STREAMS = (
    CostCenterMemberships,
    BudgetOptions,
)
