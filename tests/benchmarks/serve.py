"""The sandbox as a process that counts what it is asked; `Server` talks to it.

Run as `python -m tests.benchmarks.serve OPTIONS`, with the arguments of `Sandbox` as JSON. Each
line of its input is a question, each line of its output the answer, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox import Request, Sandbox

if TYPE_CHECKING:
    from tap_analytics.sandbox.data.store import Store

_SETTLED = 20
"""Seconds since a change that no tool takes for one that is still going on."""


class Asked:
    """Counts requests; takes the place of a fault that spoils nothing."""

    def __init__(self) -> None:
        """Start at zero."""
        self._streams: Counter[str] = Counter()
        self._targets: set[tuple[str, ...]] = set()
        self._first = 0.0

    def __call__(self, request: Request) -> None:
        """Count a request."""
        self._first = self._first or request.time
        self._streams[request.stream] += 1
        self._targets.add((request.path, *request.params.values()))

    def take(self) -> dict[str, Any]:
        """Return the counts, and start at zero again."""
        taken = {
            "first": self._first,
            "streams": dict(self._streams),
            "repeats": self._streams.total() - len(self._targets),
        }
        Asked.__init__(self)
        return taken


def change(store: Store, api: str, parents: str, children: str, count: int) -> int:
    """Let the first parents change now, and each get one child more; returns how many did."""
    now = int(time.time() - _SETTLED) * 1000
    child = next(store.rows(api, children))
    changed = list(islice(store.rows(api, parents), count))
    for index, parent in enumerate(changed):
        store.update(parents, index, {"lastModifiedTime": now})
        new = {"id": parent["id"], "version": 10_000 + store.revision, "lastModifiedTime": now}
        store.append(children, {**child, **new}, parent=parent["id"])
    return len(changed)


def main() -> None:
    """Serve until the input ends."""
    asked = Asked()
    with Sandbox(**json.loads(sys.argv[1]), log=0) as sandbox:
        sandbox.faults.append(asked)
        answer: Any = sandbox.config()
        while True:
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
            question = sys.stdin.readline().split()
            if not question:
                return
            if question == ["asked"]:
                answer = asked.take()
            elif question == ["cpu"]:
                answer = time.process_time()
            elif question[0] == "change":
                _, api, parents, children, count = question
                answer = change(sandbox.store, api, parents, children, int(count))
            else:
                _, api, stream = question
                answer = sum(1 for _ in sandbox.store.rows(api, stream))


if __name__ == "__main__":
    main()
