"""The tap works on while the target does."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.helpers.support import settings, started_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tap_analytics.sandbox import Sandbox

WIDEN = "from tap_analytics.engine.output.pipe import widen; widen()"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a pipe grow")
def test_the_tap_ends_before_its_reader_begins(open_sandbox: Callable[..., Sandbox]) -> None:
    config = settings(open_sandbox(records=10))
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader:
        try:
            with started_tap(config, stdout=writing) as (tap, _):
                os.close(writing)
                assert tap.wait(30) == 0
        finally:
            tap.kill()
        written = reader.read()
    assert 64 * 1024 < len(written) < 1024 * 1024
    assert written.splitlines()[-1].startswith(b'{"type":"STATE"')


def test_what_is_no_pipe_stays_as_it_is(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", WIDEN], stdout=out, check=True)  # noqa: S603
    subprocess.run([sys.executable, "-c", f"import os; os.close(1); {WIDEN}"], check=True)  # noqa: S603
