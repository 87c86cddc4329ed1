"""What goes over the wire, as tests see and change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Request(NamedTuple):
    """A request as it came in."""

    api: str
    """The API's name; empty for a path that none of them has."""
    stream: str
    """The stream's name; empty as above."""
    method: str
    path: str
    """As sent, percent-encoded."""
    params: dict[str, str]
    """The query, decoded."""
    headers: dict[str, str]
    """By lower-case name."""
    time: float
    """When it came, in epoch seconds."""


@dataclass(frozen=True)
class Answer:
    """What a fault makes of an answer.

    What it leaves out (None) is as the sandbox would have answered.
    """

    status: int | None = None
    headers: dict[str, str] | None = None
    """Added to the usual ones."""
    body: bytes | None = None
    delay: float = 0.0
    """Seconds before anything is sent."""
    cut: int | None = None
    """Send only so many bytes of the body, then close the connection."""
    drip: float = 0.0
    """Seconds between one byte of the body and the next."""
    reset: bool = False
    """Reset the connection instead of answering."""


Fault = Callable[[Request], "Answer | None"]
"""Looks at a request before it is answered; None lets it pass."""
