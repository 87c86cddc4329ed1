"""Factorial behind the workforce API: its core, and what it has besides."""

from __future__ import annotations

from tap_analytics.apis.workforce.factorial import core
from tap_analytics.engine.registry import Vendor

VENDOR = Vendor(
    core.STREAMS,
    __name__,
    (
        "attendance",
        "planning",
        "time_off",
        "contracts",
        "payroll",
        "expenses",
        "finance",
        "projects",
        "custom_fields",
        "documents",
        "employee_updates",
        "ats",
        "job_catalog",
        "trainings",
    ),
)
