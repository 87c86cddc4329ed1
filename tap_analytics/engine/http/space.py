"""Room in memory for answers: a little for each, more for one of the process at a time."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

from tap_analytics.engine.errors import ReadError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from tap_analytics.engine.http.connection import Attempt

LARGEST = 256 * 1024 * 1024
"""Bytes of a decompressed body at most."""
SMALL = 1024 * 1024
"""Bytes that every answer may have, however many are under way."""
_large = threading.Lock()


class Space:
    """The room of one answer, from its first byte until it has been read into a page.

    All answers of a process together take no more than `LARGEST`, and `SMALL` for each
    request in flight: an answer beyond `SMALL` waits until no other one is.
    """

    def __init__(self) -> None:
        """Start with a small answer's room."""
        self._is_large = False

    def __enter__(self) -> Self:
        """Take nothing yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the room to others."""
        if self._is_large:
            self._is_large = False
            _large.release()

    def read(self, raw: Any, attempt: Attempt) -> bytes:
        """Return the decompressed body of a response of urllib3.

        Raises:
            ReadError: If it is larger than any answer may be.
        """
        is_coded = "Content-Encoding" in raw.headers
        body = io.BytesIO()
        while chunk := raw.read(min(SMALL, LARGEST + 1), decode_content=is_coded):
            size = body.tell() + len(chunk)
            if size > LARGEST:
                msg = (
                    f"answered with more than {LARGEST // 1024**2} MB, which is more than is "
                    "taken at once; a smaller page size may help"
                )
                raise ReadError(msg)
            is_last = raw.length_remaining == 0 and not is_coded
            if is_last and size == len(chunk):
                return bytes(chunk)
            if size > SMALL and not self._is_large:
                with attempt.held_up():  # whoever has the room is past its own deadline soon
                    _large.acquire()
                self._is_large = True
            body.write(chunk)
            if is_last:
                break
        return body.getvalue()
