"""Looking for reference cycles less often than Python does."""

from __future__ import annotations

import gc

_OBJECTS_BETWEEN_COLLECTIONS = 200_000


def spare() -> None:
    """Look at what there is no more, and for cycles less often: few of our objects are in any.

    A start makes modules and classes, which stay; a run makes decoded pages, which have no
    cycles, and many objects.
    """
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 100)


def stop() -> None:
    """Leave what there is to the end of the process, which frees all of it at once.

    Looking through it for cycles first would take a fifth of the time of ``--discover``.
    """
    gc.disable()
    gc.freeze()
