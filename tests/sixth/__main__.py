"""Run the tap with ``python -m tests.sixth``."""

from __future__ import annotations

from tests.sixth import BooksTap

BooksTap.cli()
