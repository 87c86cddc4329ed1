"""How an answer goes out, whole or spoiled on purpose."""

from __future__ import annotations

import asyncio
import socket
import struct
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tap_analytics.sandbox.http.exchange import Answer

    Send = Callable[[dict[str, Any]], Awaitable[None]]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Transports = dict[tuple[str, int], asyncio.Transport]
    """Open connections by the client's address and port."""

_TURNS = 100
_LINGER_NOT = struct.pack("ii", 1, 0)


class Reply(NamedTuple):
    """An answer as it should be."""

    status: int
    headers: dict[str, str]
    body: bytes


def protocol(transports: Transports) -> type[HttpToolsProtocol]:
    """An HTTP protocol that enters its connections in `transports`."""

    class Protocol(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            self.peer = transport.get_extra_info("peername")
            transports[self.peer] = transport
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            transports.pop(self.peer, None)
            super().connection_lost(exc)

    return Protocol


async def deliver(send: Send, reply: Reply) -> None:
    """Send an answer in one piece."""
    await _start(send, reply)
    await send({"type": "http.response.body", "body": reply.body})


async def spoil(
    send: Send, reply: Reply, fault: Answer, transports: Transports, client: tuple[str, int]
) -> None:
    """Send an answer as `fault` has it."""
    await asyncio.sleep(fault.delay)
    if fault.reset:
        await _reset(transports, client)
        return
    reply = Reply(
        reply.status if fault.status is None else fault.status,
        {**reply.headers, **(fault.headers or {})},
        reply.body if fault.body is None else fault.body,
    )
    if fault.cut is None and not fault.drip:
        await deliver(send, reply)
        return
    await _start(send, reply)
    body = reply.body[: fault.cut]
    step = 1 if fault.drip else max(len(body), 1)
    for start in range(0, len(body), step):
        part = body[start : start + step]
        await send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.sleep(fault.drip)
        if client not in transports:
            return
    # An answer that ends early makes the server close the connection.
    if len(body) == len(reply.body):
        await send({"type": "http.response.body", "body": b""})


async def _start(send: Send, reply: Reply) -> None:
    named = {
        "date": formatdate(usegmt=True),
        "content-type": "application/json",
        **{name.lower(): value for name, value in reply.headers.items()},
        "content-length": str(len(reply.body)),
    }
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})


async def _reset(transports: Transports, client: tuple[str, int]) -> None:
    """Close so that the client's end sees a reset, not an end."""
    transport = transports[client]
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()
    # The server must have seen the loss before the application returns without an answer.
    for _ in range(_TURNS):
        if client not in transports:
            return
        await asyncio.sleep(0)
