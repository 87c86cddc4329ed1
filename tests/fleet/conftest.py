"""A sandbox, and a place to work for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_analytics.sandbox import Sandbox
from tests.fleet.support import Work

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with Sandbox(records=12) as sandbox:
        yield sandbox


@pytest.fixture
def work(shared_sandbox: Sandbox, tmp_path: Path) -> Work:
    return Work(tmp_path, shared_sandbox)
