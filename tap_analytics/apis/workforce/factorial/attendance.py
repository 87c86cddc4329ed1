"""Further streams of Factorial: working time that was clocked, computed and asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_analytics.apis.workforce.factorial.client import FactorialStream
from tap_analytics.apis.workforce.factorial.core import Employees
from tap_analytics.engine.run.options import Options
from tap_analytics.engine.slices import DateWindows
from tap_analytics.engine.values import times
from tap_analytics.engine.values.cursors import FIRST, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Context

_DAYS = {"start_on": "first_day", "end_on": "last_day"}
_DAYS_BACK = 364


class AttendanceShifts(DateWindows, FactorialStream):
    """Shifts and breaks that were clocked, a week at a time."""

    name = "workforce_attendance_shifts"
    path = "/attendance/shifts"
    context_params = _DAYS
    fixed_params = {"half_day": "false", "sort_created_at_asc": "false"}
    references = {
        "employee_id": "workforce_employees.id",
        "time_settings_break_configuration_id": "workforce_break_configurations.id",
        "workplace_id": "workforce_locations.id",
    }


class WorkedTimes(DateWindows, FactorialStream):
    """What each employee worked on each day, people without a clock included.

    There is a row for whatever day is asked for. So nothing is asked about days to come, nor,
    without a `start_date`, about those of more than a year ago; what is not asked for was not
    deleted.
    """

    name = "workforce_worked_times"
    path = "/attendance/worked_times"
    append_only = True
    context_params = _DAYS
    fixed_params = {
        "include_time_range_category": "false",
        "include_non_attendable_employees": "true",
    }
    references = {"employee_id": "workforce_employees.id"}

    @override
    def slices(self, window: Window, now: int) -> Iterator[dict[str, Any]]:
        """Yield a context for each window up to today, oldest first."""
        return super().slices(_past(window, now), now)


class EstimatedTimes(FactorialStream):
    """What each employee has to work on each day: a request for each employee.

    As with worked times, days to come and those of more than a year ago are left out.
    """

    name = "workforce_estimated_times"
    path = "/attendance/estimated_times"
    parent_stream_type = Employees
    append_only = True
    asks_by_days = True
    patience = DateWindows.patience
    context_params = {"employee_ids[]": "employee_id"}
    references = {"employee_id": "workforce_employees.id"}

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: Any | None
    ) -> dict[str, Any]:
        """Return the query parameters, with the first and the last day among them."""
        first, last = self._days
        params = super().get_url_params(context, next_page_token)
        return {"start_on": times.day(first), "end_on": times.day(last), **params}

    @cached_property
    def _days(self) -> Window:
        options = Options.of(self.config)
        return _past(Window(options.since, options.until), times.now())


def _past(window: Window, now: int) -> Window:
    """Return the part of a window that is not to come; without a start, that of a year."""
    since = now - _DAYS_BACK * times.DAY if window.since == FIRST else window.since
    until = min(window.until, now)
    return Window(min(since, until), until)


class OvertimeRequests(FactorialStream):
    """Overtime that employees asked for."""

    name = "workforce_overtime_requests"
    path = "/attendance/overtime_requests"
    fixed_params = {"include_approval_flow": "false"}
    references = {
        "approver_id": "workforce_employees.id",
        "author_id": "workforce_employees.id",
        "employee_id": "workforce_employees.id",
    }


class EditTimesheetRequests(FactorialStream):
    """Changes of clocked time that employees asked for."""

    name = "workforce_edit_timesheet_requests"
    path = "/attendance/edit_timesheet_requests"
    references = {
        "attendance_shift_id": "workforce_attendance_shifts.id",
        "clock_in_work_area_id": "workforce_work_areas.id",
        "clock_out_work_area_id": "workforce_work_areas.id",
        "employee_id": "workforce_employees.id",
        "time_settings_break_configuration_id": "workforce_break_configurations.id",
        "workplace_id": "workforce_locations.id",
    }


class OpenShifts(FactorialStream):
    """Who is at work right now: shifts that were not clocked out of yet."""

    name = "workforce_open_shifts"
    path = "/attendance/open_shifts"
    references = {
        "employee_id": "workforce_employees.id",
        "time_settings_break_configuration_id": "workforce_break_configurations.id",
        "workplace_id": "workforce_locations.id",
    }


STREAMS = (
    AttendanceShifts,
    WorkedTimes,
    EstimatedTimes,
    OvertimeRequests,
    EditTimesheetRequests,
    OpenShifts,
)
