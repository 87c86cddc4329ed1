"""Further streams of Freshsales: what was done with people, companies and deals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.apis.sales.freshsales.client import FreshsalesPages, FreshsalesStream
from tap_analytics.apis.sales.freshsales.core import Accounts, Contacts
from tap_analytics.apis.sales.freshsales.deals import Deals
from tap_analytics.apis.sales.freshsales.selectors import Choices
from tap_analytics.engine.pages.pagination import PageNumbers

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class ActivityTypes(Choices):
    """Types of sales activities, such as calls."""

    name = "sales_activity_types"
    path = "/selector/sales_activity_types"
    records_jsonpath = "$.sales_activity_types[*]"


class ActivityOutcomes(Choices):
    """Outcomes that an activity of a type can have."""

    name = "sales_activity_outcomes"
    path = "/selector/sales_activity_outcomes"
    records_jsonpath = "$.sales_activity_outcomes[*]"
    references = {"sales_activity_type_id": "sales_activity_types.id"}


class ActivityEntityTypes(Choices):
    """Types of tasks."""

    name = "sales_activity_entity_types"
    path = "/selector/sales_activity_entity_types"
    records_jsonpath = "$.sales_activity_entity_types[*]"
    references = {"sales_activity_type_id": "sales_activity_types.id"}


class Activities(FreshsalesStream):
    """Calls, meetings, mails and chats with people, companies and deals."""

    name = "sales_activities"
    path = "/sales_activities"
    records_jsonpath = "$.sales_activities[*]"
    references = {
        "owner_id": "sales_owners.id",
        "creater_id": "sales_owners.id",
        "updater_id": "sales_owners.id",
        "sales_activity_type_id": "sales_activity_types.id",
        "sales_activity_outcome_id": "sales_activity_outcomes.id",
    }


class TimelinePages(PageNumbers):
    """``page`` from 1, by analogy, with ``limit`` 100; it is said whether there are more."""

    more_path = ("meta", "has_next")
    repeat_ends = True


class Timeline(FreshsalesStream):
    """Base of the timelines: one request for each record."""

    by_default = False
    paginator_class = TimelinePages
    records_jsonpath = "$.activities[*]"

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Take the older name of the key where there is no other."""
        if row.get("id") is None:
            row["id"] = row.get("composite_id")
        return super().post_process(row, context)


class ContactActivities(Timeline):
    """Timelines of contacts."""

    name = "sales_contact_activities"
    path = "/contacts/{contact_id}/activities"
    parent_stream_type = Contacts
    primary_keys = ("contact_id", "id")


class AccountActivities(Timeline):
    """Timelines of companies."""

    name = "sales_account_activities"
    path = "/sales_accounts/{sales_account_id}/activities"
    parent_stream_type = Accounts
    primary_keys = ("sales_account_id", "id")


class DealActivities(Timeline):
    """Timelines of deals."""

    name = "sales_deal_activities"
    path = "/deals/{deal_id}/activities"
    parent_stream_type = Deals
    primary_keys = ("deal_id", "id")


class NotePages(FreshsalesPages):
    """Pages as usual, or all notes at once whatever page is asked for."""

    repeat_ends = True
    past_end = frozenset({400, 404})


class Notes(FreshsalesStream):
    """Base of the notes: one request or two for each record."""

    by_default = False
    paginator_class = NotePages
    records_jsonpath = "$.notes[*]"
    fixed_params = {"include": "creater"}
    references = {"creater_id": "sales_owners.id"}


class ContactNotes(Notes):
    """Notes on contacts."""

    name = "sales_contact_notes"
    path = "/contacts/{contact_id}/notes"
    parent_stream_type = Contacts
    primary_keys = ("contact_id", "id")


class AccountNotes(Notes):
    """Notes on companies."""

    name = "sales_account_notes"
    path = "/sales_accounts/{sales_account_id}/notes"
    parent_stream_type = Accounts
    primary_keys = ("sales_account_id", "id")


class DealNotes(Notes):
    """Notes on deals."""

    name = "sales_deal_notes"
    path = "/deals/{deal_id}/notes"
    parent_stream_type = Deals
    primary_keys = ("deal_id", "id")


STREAMS = (
    ActivityTypes,
    ActivityOutcomes,
    ActivityEntityTypes,
    Activities,
    ContactActivities,
    AccountActivities,
    DealActivities,
    ContactNotes,
    AccountNotes,
    DealNotes,
)
