"""Statsig's Console API: dialect, paginators and base stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_analytics.apis.experimentation.client import (
    ExperimentationApi,
    ExperimentationStream,
)
from tap_analytics.engine.pages.pagination import PageNumbers, SinglePage, Totals

if TYPE_CHECKING:
    from tap_analytics.engine.pages.pagination import Paginator


class StatsigApi(ExperimentationApi):
    """A path before the documented ones, a dated version, and two limits at once."""

    key_header = "STATSIG-API-KEY"
    headers = {"STATSIG-API-VERSION": "20240601"}
    origin = "https://statsigapi.net"
    prefix = "/console"
    windows = ((100, 10), (900, 900))


class StatsigPages(PageNumbers):
    """``page`` from 1 with ``limit`` 100, until there is no next page.

    The number of rows, where there is one, may count something else.
    """

    total_path = ("pagination", "totalItems")
    totals = Totals.HINT
    next_path = ("pagination", "nextPage")


class UnsizedPages(StatsigPages):
    """``page`` from 1; how many rows it holds cannot be asked for."""

    size_param = None


class WholeList(SinglePage):
    """Lists that come in one answer, unless it says that there is a next page."""

    next_path = ("pagination", "nextPage")


class StatsigStream(ExperimentationStream):
    """Base of the Statsig streams."""

    api = StatsigApi
    paginator_class: ClassVar[type[Paginator]] = StatsigPages
