"""`python -m tap_analytics.fleet` is `tap-analytics-fleet`."""

from __future__ import annotations

import sys

from tap_analytics.fleet_command import main

if __name__ == "__main__":
    sys.exit(main())
