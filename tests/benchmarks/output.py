"""What a tool wrote: counted, not judged."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_STARTS = 24
"""Bytes of a message within which it names its type."""


@dataclass
class Output:
    """The messages of one run.

    Attributes:
        records: RECORD messages, or what the tool says it extracted.
        size: Bytes in all.
        state_size: Bytes of the STATE messages.
        longest_state: Bytes of the longest of them.
        state: Value of the last of them, if there is any.
    """

    records: int = 0
    size: int = 0
    state_size: int = 0
    longest_state: int = 0
    state: Any = None


def read(path: Path) -> Output:
    """Read the file a tool's standard output went to."""
    output, last_state = Output(), b""
    with path.open("rb") as lines:
        for line in lines:
            output.size += len(line)
            start = line[:_STARTS]
            if b"RECORD" in start:
                output.records += 1
            elif b"STATE" in start:
                output.state_size += len(line)
                output.longest_state = max(output.longest_state, len(line))
                last_state = line
            elif b"EXTRACTED" in start:
                output.records = json.loads(line)["records"]
    output.state = json.loads(last_state).get("value") if last_state else None
    return output
