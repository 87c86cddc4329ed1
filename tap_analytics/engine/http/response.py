"""Answers as they come from a socket: their heads, and whether more came than the answer."""

from __future__ import annotations

import http.client
import io
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_READ_AT_ONCE = 64 * 1024
_USUAL_HEAD = re.compile(
    rb"HTTP/1\.1 (?P<status>(?!204|304)[2-5]\d\d) (?P<reason>[ -~]*)\r\n"
    rb"(?P<lines>(?:[A-Za-z0-9-]+:[ -~]*\r\n){0,90})\r\n"
)
"""The whole head of an answer that may have a body, with each header on a line of its own."""
_LINE = re.compile(r"([A-Za-z0-9-]+): *([ -~]*)\r\n")
_LENGTH = re.compile(r"[0-9]{1,18}")
_NESTED = ("multipart/", "message/")


class _Wire(io.RawIOBase):
    """A socket's bytes, as long as it is not told to be dry."""

    def __init__(self, raw: Any) -> None:
        super().__init__()
        self.is_dry = False
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        read: int | None = None if self.is_dry else self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Reader(io.BufferedReader):
    """Tells at its end whether more had come than the answer."""

    def __init__(self, raw: Any, ended: Callable[[bool], None]) -> None:
        self._wire = _Wire(raw)
        super().__init__(self._wire, _READ_AT_ONCE)
        self._tell = ended

    def close(self) -> None:
        if not self.closed:
            self._wire.is_dry = True
            self._tell(bool(self.peek()))
        super().close()


class Response(http.client.HTTPResponse):
    """The final answer to a request: interim ones before it are passed over."""

    def __init__(self, *args: Any, ended: Callable[[bool], None], **kwargs: Any) -> None:
        """Start before its head.

        Args:
            args: What the library gives.
            ended: Called at its end, with whether more had come.
            kwargs: What the library gives.
        """
        super().__init__(*args, **kwargs)
        self.fp: _Reader = _Reader(self.fp.detach(), ended)
        self._may_have_body = kwargs.get("method") != "HEAD"

    def begin(self) -> None:
        """Read the head."""
        if self._may_have_body and self._take_usual_head():
            return
        super().begin()
        while HTTPStatus.CONTINUE <= self.status < HTTPStatus.OK:
            if self.status == HTTPStatus.SWITCHING_PROTOCOLS:  # which nobody asked for
                self.will_close = True
                return
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()

    def _take_usual_head(self) -> bool:
        """Read the head if it has come whole and holds nothing odd; tell whether it was so.

        The standard library reads a head as that of a mail, which takes many times as long.
        """
        if (head := _USUAL_HEAD.match(self.fp.peek())) is None:
            return False
        lines = _LINE.findall(head["lines"].decode())
        said = {name.lower(): value for name, value in reversed(lines)}  # the first one counts
        length, coding = said.get("content-length", ""), said.get("transfer-encoding")
        is_chunked = coding == "chunked"
        is_framed = is_chunked or (coding is None and _LENGTH.fullmatch(length))
        if not is_framed or said.get("content-type", "").lower().startswith(_NESTED):
            return False
        self.fp.read(head.end())
        self.headers = self.msg = http.client.HTTPMessage()
        for name, value in lines:
            self.headers.set_raw(name, value)
        self.headers.set_payload("")
        self.version, self.status, self.reason = 11, int(head["status"]), head["reason"].decode()
        self.code, self.reason = self.status, self.reason.strip()
        self.chunked, self.chunk_left = is_chunked, None
        self.length = None if is_chunked else int(length)
        self.will_close = "close" in said.get("connection", "").lower()
        return True
