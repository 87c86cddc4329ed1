"""An object store on this machine that speaks like S3."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.helpers.environments import installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE = 60


@contextmanager
def object_store(folder: Path) -> Iterator[str]:
    """Start the store; yields its URL.

    Raises:
        TimeoutError: It does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = str(installed("moto[s3,server]>=5.1,<6") / "moto_server")
    with (
        (folder / "moto.log").open("wb") as log,
        subprocess.Popen(  # noqa: S603
            [program, "--host", "127.0.0.1", "--port", str(port)], stdout=log, stderr=log
        ) as server,
    ):
        try:
            _wait(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _wait(port: int) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                message = "the object store does not start"
                raise TimeoutError(message) from None
            time.sleep(0.1)
        else:
            return
