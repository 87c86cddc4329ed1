"""Keeping distinct keys distinct, though no target holds all characters they may have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tap_analytics.engine.values.typed import column

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNHOLDABLE = re.compile(r"[\x00\ud800-\udfff]")
_SUSPECT = re.compile(r"[\x00\ud800-\udfff]|\\u(?:0000|d[89a-f][0-9a-f]{2})")


def keep_apart(records: Sequence[Any], name: str) -> None:
    r"""Write out, in one field of all records, the characters that targets cannot hold.

    Elsewhere NUL is dropped and half a surrogate pair replaced; of two keys that would make
    one. As in JSON, NUL becomes ``\u0000``, and in such a text (and in one that holds this very
    spelling) backslashes are doubled, so that no two texts become the same.
    """
    texts = "".join([text for text in column(records, name) if isinstance(text, str)])
    if texts.isascii() and "\\" not in texts and "\0" not in texts:
        return
    for row in records:
        text = row.get(name)
        if isinstance(text, str) and _SUSPECT.search(text):
            row[name] = _UNHOLDABLE.sub(_spelled, text.replace("\\", "\\\\"))


def _spelled(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
