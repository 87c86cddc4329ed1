"""Sockets as `dial` returns them."""

from __future__ import annotations

import os
import socket
import time

from tap_analytics.engine.http.dial import dial


def test_a_time_limit_is_set_once_and_not_for_each_request() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with dial("127.0.0.1", port, time.monotonic() + 5, name="here") as sock:
            number = sock.fileno()
            assert 0 < (sock.gettimeout() or 0) <= 5
            assert not os.get_blocking(number)
            sock.settimeout(None)
            assert os.get_blocking(number)
            os.set_blocking(number, False)
            sock.settimeout(None)
            assert not os.get_blocking(number)
            sock.settimeout(2)
            sock.settimeout(None)
            assert os.get_blocking(number)
            sock.settimeout(3)
            assert sock.gettimeout() == 3
