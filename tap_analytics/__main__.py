"""Run the tap with ``python -m tap_analytics``."""

from __future__ import annotations

from tap_analytics.tap import TapAnalytics

TapAnalytics.cli()
