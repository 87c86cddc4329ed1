"""A running sandbox and a client of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tap_analytics.sandbox import Sandbox

from .client import Client
from .vendors import Vendors

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


@pytest.fixture
def open_vendors() -> Iterator[Callable[..., Vendors]]:
    """Start a sandbox with the given arguments, for one test."""
    started: list[Vendors] = []

    def start(**arguments: object) -> Vendors:
        sandbox = Sandbox(upstreams=True, **arguments)  # type: ignore[arg-type]
        sandbox.start()
        started.append(Vendors(sandbox, requests.Session()))
        return started[-1]

    yield start
    for vendors in started:
        vendors.session.close()
        vendors.sandbox.stop()


@pytest.fixture(scope="module")
def vendors() -> Iterator[Vendors]:
    """A reader of vendors that the tests of a module share and leave as they are."""
    with (
        Sandbox(records=130, sizes={"pages": 7}, upstreams=True) as sandbox,
        requests.Session() as session,
    ):
        yield Vendors(sandbox, session)
