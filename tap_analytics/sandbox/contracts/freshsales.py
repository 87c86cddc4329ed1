"""Freshsales, the sales vendor: people, companies and deals are seen through saved views only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_analytics.sandbox.contract import Api, Choice, Found, Route
from tap_analytics.sandbox.contracts import sales
from tap_analytics.sandbox.data.moments import instant
from tap_analytics.sandbox.paging import PageNumber, Whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox.contract import Params
    from tap_analytics.sandbox.paging import Window

    Chooser = Callable[[Params], Choice | None]

_PAGES = PageNumber("per_page", 50, most=100, capped=True)
_UNPAGED = Whole(_PAGES.params)
_SORT = {"sort": ("created_at", "updated_at"), "sort_type": ("asc", "desc")}
_INCLUDE: dict[str, tuple[str, ...]] = {"include": ()}
_IGNORED: dict[str, tuple[str, ...]] = {"filter": ()}
"""Sent by others to views, where it means nothing."""
_KEY = "sandbox-freshsales-key"


def _appointments(found: Found, _: Window, __: str) -> bytes:
    """This list comes without totals."""
    return b'{"appointments":%b}' % found.array


def _filters(found: Found, _: Window, __: str) -> bytes:
    return b'{"filters":%b}' % found.array


def _sorted(params: Params) -> Choice | None:
    """All rows, in the order that is asked for; those without the time come first."""
    field = params.get("sort")
    if field is None:
        return None

    def order(row: dict[str, Any]) -> float:
        return instant(row[field]) if row[field] else 0

    return Choice(order=order, descending=params.get("sort_type") == "desc")


def _some(params: Params) -> Choice:
    """Those of one user, or of the last days: some of all."""
    choice = _sorted(params) or Choice()
    return choice._replace(keep=lambda row: row["id"] % 5 < 2)  # noqa: PLR2004


def _view(stream: str, path: str, name: str, view: str, choose: Chooser = _sorted) -> Route:
    return Route(
        stream,
        f"{path}/view/{{view_id}}",
        _PAGES,
        sales.under(name),
        parent=f"sales_{name.removeprefix('sales_')[:-1]}_views",
        view=view,
        options={**_SORT, **_IGNORED, **_INCLUDE},
        choose=choose,
    )


def _views(stream: str, path: str, count: int) -> Route:
    return Route(
        stream, f"{path}/filters", Whole(_PAGES.params), _filters, exactly=count, options=_SORT
    )


def _filtered(stream: str, name: str, value: str) -> Route:
    return Route(
        stream,
        f"/{name}",
        _PAGES,
        sales.under(name) if name == "tasks" else _appointments,
        options={"filter": (value,), **_SORT, **_INCLUDE},
        needs=("filter",),
        choose=_sorted,
    )


_ACCOUNTS = ("/sales_accounts", "sales_accounts")
_CONTACTS = ("/contacts", "contacts")
_DEALS = ("/deals", "deals")

API = Api(
    name="sales",
    upstream="freshsales",
    prefixes=("/crm/sales/api", "/api"),
    tables=("sales", "freshsales"),
    settings={"api_key": _KEY},
    authorization=("authorization", f"Token token={_KEY}"),
    error=sales.error,
    announces=True,
    paging=_PAGES,
    usual=lambda names: sales.under(names[-1]),
    signals=sales.SIGNALS,
    routes=(
        _views("sales_account_views", "/sales_accounts", 3),
        _view("accounts", *_ACCOUNTS, "All Accounts"),
        _view("accounts", *_ACCOUNTS, "My Accounts", _some),
        _view("recycled_accounts", *_ACCOUNTS, "Recycle Bin"),
        _views("sales_contact_views", "/contacts", 4),
        _view("contacts", *_CONTACTS, "All Contacts"),
        _view("contacts", *_CONTACTS, "My Contacts", _some),
        _view("contacts", *_CONTACTS, "New Contacts", _some),
        _view("recycled_contacts", *_CONTACTS, "Recycle Bin"),
        _views("sales_deal_views", "/deals", 6),
        _view("won_deals", *_DEALS, "Won Deals"),
        _view("sales_open_deals", *_DEALS, "Open Deals"),
        _view("sales_open_deals", *_DEALS, "My Deals", _some),
        _view("sales_open_deals", *_DEALS, "New Deals", _some),
        _view("sales_lost_deals", *_DEALS, "Lost Deals"),
        _view("recycled_deals", *_DEALS, "Recycle Bin"),
        _filtered("open_tasks", "tasks", "open"),
        _filtered("sales_completed_tasks", "tasks", "completed"),
        _filtered("past_appointments", "appointments", "past"),
        _filtered("sales_upcoming_appointments", "appointments", "upcoming"),
    ),
)
