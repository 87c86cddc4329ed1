"""`python -m tap_analytics.sandbox` is `tap-analytics-sandbox`."""

from __future__ import annotations

import sys

from tap_analytics.sandbox.cli import main

if __name__ == "__main__":
    sys.exit(main())
