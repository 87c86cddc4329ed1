"""Further streams of Factorial: what is left of time off, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_analytics.apis.workforce.factorial.client import FactorialStream
from tap_analytics.apis.workforce.factorial.keys import OptionalId
from tap_analytics.engine.values import times
from tap_analytics.engine.values.cursors import EpochSeconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_analytics.engine.values.cursors import Window


class AllowanceStats(FactorialStream):
    """What each employee has, used and has left of an allowance, on the day of the run.

    Each day has rows of its own, which a later run does not ask for again. The total counts
    employees, not rows.
    """

    name = "workforce_allowance_stats"
    path = "/timeoff/allowance_stats"
    context_params = {"reference_date": "reference_date"}
    append_only = True
    references = {
        "allowance_id": "workforce_allowances.id",
        "employee_id": "workforce_employees.id",
    }

    @override
    def slices(self, window: Window, now: int) -> Iterator[dict[str, Any]]:
        """Yield the day of the run, which all pages are asked for."""
        yield {"reference_date": times.day(now)}


class AllowanceIncidences(FactorialStream):
    """Corrections of allowances by hand."""

    name = "workforce_allowance_incidences"
    path = "/timeoff/allowance_incidences"
    cursor = EpochSeconds()
    replication_key = "updated_at"
    references = {
        "employee_id": "workforce_employees.id",
        "timeoff_allowance_id": "workforce_allowances.id",
    }


class PolicyAssignments(OptionalId):
    """Which policy of time off holds for an employee, and from when on."""

    name = "workforce_policy_assignments"
    path = "/timeoff/policy_assignments"
    references = {
        "employee_id": "workforce_employees.id",
        "timeoff_policy_id": "workforce_policies.id",
    }


STREAMS = (
    AllowanceStats,
    AllowanceIncidences,
    PolicyAssignments,
)
