"""A running sandbox and a client of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_analytics.sandbox import Sandbox

from .client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def shared() -> Iterator[Client]:
    """A client of a sandbox that the tests of a module share and leave as it is."""
    with Sandbox(records=53) as sandbox:
        client = Client(sandbox)
        yield client
        client.close()


@pytest.fixture
def open_client() -> Iterator[Callable[..., Client]]:
    """Start a sandbox with the given arguments, for one test."""
    clients: list[Client] = []

    def start(**arguments: object) -> Client:
        sandbox = Sandbox(**arguments)  # type: ignore[arg-type]
        sandbox.start()
        clients.append(Client(sandbox))
        return clients[-1]

    yield start
    for client in clients:
        client.close()
        client.sandbox.stop()
