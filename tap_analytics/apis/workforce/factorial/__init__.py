"""Factorial behind the workforce API: its core, and what it has besides."""

from __future__ import annotations

from itertools import chain

from tap_analytics.apis.workforce.factorial import (
    ats,
    attendance,
    contracts,
    core,
    custom_fields,
    documents,
    employee_updates,
    expenses,
    finance,
    job_catalog,
    payroll,
    planning,
    projects,
    time_off,
    trainings,
)
from tap_analytics.engine.registry import Vendor

_SUBJECTS = (
    attendance,
    planning,
    time_off,
    contracts,
    payroll,
    expenses,
    finance,
    projects,
    custom_fields,
    documents,
    employee_updates,
    ats,
    job_catalog,
    trainings,
)

VENDOR = Vendor(core.STREAMS, tuple(chain.from_iterable(one.STREAMS for one in _SUBJECTS)))
