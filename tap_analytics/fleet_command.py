"""The command `tap-analytics-fleet`, where the extra it needs may be missing."""

from __future__ import annotations

import sys

_MISSING_EXTRA = 2


def main() -> int:
    """Run the fleet, or say in one line what to install; returns the exit status."""
    try:
        from tap_analytics.fleet.command import main as run  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith(__package__):
            raise
        sys.stderr.write(
            f"tap-analytics-fleet: {missing}; "
            "install the extra (pip install 'tap-analytics[dask]')\n"
        )
        return _MISSING_EXTRA
    return run()
