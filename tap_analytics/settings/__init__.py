"""The settings: which there are, how they are read, and what is wrong with given ones."""

from __future__ import annotations

from tap_analytics.settings.declared import schema
from tap_analytics.settings.given import from_environment, prepare, secrets
from tap_analytics.settings.problems import find_errors

__all__ = ["find_errors", "from_environment", "prepare", "schema", "secrets"]
