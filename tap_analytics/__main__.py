"""Run the tap: `tap-analytics`, or `python -m tap_analytics`."""

from __future__ import annotations

from tap_analytics import collector


def main() -> None:
    """Run the command."""
    collector.spare()  # before the imports, which make the most
    from tap_analytics.tap import TapAnalytics  # noqa: PLC0415

    try:
        TapAnalytics.cli()
    finally:
        collector.stop()


if __name__ == "__main__":
    main()
