"""The settings: which there are, how they are read, and what is wrong with given ones."""

from __future__ import annotations

from tap_analytics.settings.declared import schema
from tap_analytics.settings.given import (
    PREFIX,
    from_environment,
    prepare,
    secrets,
    suggestion,
    unknown_variables,
)
from tap_analytics.settings.problems import find_errors

__all__ = [
    "PREFIX",
    "find_errors",
    "from_environment",
    "prepare",
    "schema",
    "secrets",
    "suggestion",
    "unknown_variables",
]
