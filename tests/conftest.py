"""A clean environment and sandboxes to read."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tap_analytics.sandbox import Sandbox
from tests.helpers.support import BYTECODE
from tests.structure import gaps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Whatever a test starts is compiled once, and so are the tests, also where the machine asks for no
# bytecode: to start Meltano takes three times as long without.
os.environ.update(BYTECODE)
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long an example takes says nothing here: machines are shared and slow at times.
settings.register_profile("no deadline", deadline=None)
# What mutation testing runs some thousand times (pyproject.toml).
settings.register_profile("few", deadline=None, max_examples=15, derandomize=True)
settings.load_profile("no deadline")


def pytest_sessionstart() -> None:
    """Say in one line each what streams lack, before hundreds of tests say it in theirs."""
    if missing := list(gaps()):
        raise pytest.UsageError("\n".join(missing))


def pytest_xdist_auto_num_workers() -> int:
    """Have one more worker than processors: there is always one that waits for a while."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no processor is idle at the end.

    These are the slow tests and then the files of many tests, each of which one worker runs.
    """
    many = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None, -many[item.path]))


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> Iterator[None]:
    """Take the settings of whoever runs the tests out of the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("TAP_ANALYTICS_"):
                patch.delenv(name)
        yield


@pytest.fixture
def open_sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Start a sandbox with the given arguments, for one test."""
    started: list[Sandbox] = []

    def start(**arguments: Any) -> Sandbox:
        sandbox = Sandbox(**arguments)
        sandbox.start()
        started.append(sandbox)
        return sandbox

    yield start
    for sandbox in started:
        sandbox.stop()
