"""Further streams of Factorial: working time that was clocked, computed and asked for."""

from __future__ import annotations

from tap_analytics.apis.workforce.factorial.client import FactorialStream


class OvertimeRequests(FactorialStream):
    """Overtime that employees asked for."""

    name = "workforce_overtime_requests"
    path = "/attendance/overtime_requests"
    fixed_params = {"include_approval_flow": "false"}
    references = {
        "employee_id": "workforce_employees.id",
    }


class EditTimesheetRequests(FactorialStream):
    """Changes of clocked time that employees asked for."""

    name = "workforce_edit_timesheet_requests"
    path = "/attendance/edit_timesheet_requests"
    references = {
        "employee_id": "workforce_employees.id",
        "time_settings_break_configuration_id": "workforce_break_configurations.id",
    }


class OpenShifts(FactorialStream):
    """Who is at work right now: shifts that were not clocked out of yet."""

    name = "workforce_open_shifts"
    path = "/attendance/open_shifts"
    references = {
        "employee_id": "workforce_employees.id",
        "time_settings_break_configuration_id": "workforce_break_configurations.id",
    }


STREAMS = (
    OvertimeRequests,
    EditTimesheetRequests,
    OpenShifts,
)
