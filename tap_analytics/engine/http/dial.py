"""Finding a host and reaching it, all of its addresses within one deadline."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from urllib3.util.connection import allowed_gai_family

from tap_analytics.engine.threads import started

if TYPE_CHECKING:
    from collections.abc import Iterable

_Address = tuple[Any, ...]


class Unreachable(OSError):
    """A host that cannot be found or reached; its message is one plain line."""


class _Socket(socket.socket):
    """A socket that asks the system for another time limit only if it is another one.

    urllib3 sets it twice for each request, and whoever asks the system lets other threads pass.
    """

    def settimeout(self, value: float | None, /) -> None:
        if value != self.gettimeout():
            super().settimeout(value)


def dial(
    host: str,
    port: int,
    deadline: float,
    *,
    name: str,
    options: Iterable[tuple[int, int, int | bytes]] = (),
) -> socket.socket:
    """Return a socket that is connected with a host.

    Each address gets an equal share of the time that is left, so that a dead one does not
    take the time of those after it.

    Args:
        host: Name or address.
        port: Its port.
        deadline: Monotonic time until which it must be done.
        name: What to call the host in messages.
        options: Socket options to set.

    Raises:
        Unreachable: If no address can be reached, with the last one's reason.
    """
    addresses = _addresses(host.strip("[]"), port, deadline, name)
    reason: OSError | None = None
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            sock = _Socket(family, kind, protocol)
        except OSError as error:
            reason = error
            continue
        try:
            for option in options:
                sock.setsockopt(*option)
            sock.settimeout(left / (len(addresses) - number))
            sock.connect(address)
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
        except OSError as error:
            reason = error
            sock.close()
        else:
            return sock
    raise Unreachable(_in_words(reason, f"{name}:{port}")) from reason


def _in_words(reason: OSError | None, place: str) -> str:
    if isinstance(reason, ConnectionRefusedError):
        return f"connection refused by {place}"
    if reason is None or isinstance(reason, TimeoutError):
        return f"cannot reach {place} in time"
    return f"cannot reach {place}: {reason.strerror or reason}"


def _addresses(host: str, port: int, deadline: float, name: str) -> list[_Address]:
    """Look a name up on a thread of its own, for nothing else ends a look-up in time.

    Where no thread is to be had, it takes as long as the resolver allows itself.
    """
    found: list[list[_Address] | Exception] = []

    def look_up() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = started(look_up, "look-up")
    if thread is None:
        look_up()
    else:
        thread.join(max(deadline - time.monotonic(), 0))
    if not found:
        msg = f"cannot find host {name} in time"
        raise Unreachable(msg)
    (result,) = found
    if isinstance(result, Exception):
        reason = result.strerror if isinstance(result, OSError) else "not a host name"
        msg = f"cannot find host {name}: {reason or result}"
        raise Unreachable(msg) from None
    return result
