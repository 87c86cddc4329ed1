"""A sixth API, made up: the example to follow for an API of one's own.

It has what the five do not have together: pages with a cursor, a link to the next page, a list
that is asked for with a body, tokens that die, a child. Nothing of it is known to the package;
`BooksTap` is the tap that reads it. `server.py` is the API itself, for the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_analytics.engine.registry import ApiPackage
from tap_analytics.tap import TapAnalytics
from tests.sixth.streams import DOCUMENTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_analytics.engine.registry import Vendor

UPSTREAMS: Mapping[str, Vendor] = {}


class BooksTap(TapAnalytics):
    """Reads the books."""

    packages: ClassVar = (ApiPackage(DOCUMENTED, UPSTREAMS),)
