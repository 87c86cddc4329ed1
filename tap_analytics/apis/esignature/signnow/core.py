"""The core of SignNow: the documented streams and those of the public connectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.apis.esignature import streams as documented
from tap_analytics.apis.esignature.signnow.client import (
    ContactPages,
    LogPages,
    SignNowApplicationApi,
    SignNowStream,
)
from tap_analytics.engine.pages.pagination import SinglePage
from tap_analytics.engine.values.cursors import EpochSecondsText

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class SignNowDocuments(SignNowStream):
    """Base of the lists of documents: one array, without the images of signatures."""

    paginator_class = SinglePage
    records_jsonpath = "$[*]"
    replication_key = "updated"
    cursor = EpochSecondsText()

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Drop the images of signatures."""
        for signature in row.get("signatures") or ():
            if isinstance(signature, dict):
                signature.pop("data", None)
        return super().post_process(row, context)


class User(documented.User, SignNowStream):
    """The user behind the key."""

    paginator_class = SinglePage
    records_jsonpath = "$"


class UserModifiedDocuments(documented.UserModifiedDocuments, SignNowDocuments):
    """Documents that changed lately or wait for somebody."""

    paginator_class = SinglePage


class UserDocuments(SignNowDocuments):
    """All documents of the user."""

    name = "esignature_user_documents"
    path = "/user/documents"


class CrmContacts(documented.CrmContacts, SignNowStream):
    """Contacts; the time of their last change is lifted from their meta data."""

    paginator_class = ContactPages


class SigningLinks(documented.SigningLinks, SignNowStream):
    """Signing links of the application."""

    api = SignNowApplicationApi


class Favourites(SignNowStream):
    """What the user marked as a favorite."""

    name = "esignature_favourites"
    path = "/v2/favorites"


class Logs(SignNowStream):
    """Requests to the API, without their headers, which carry tokens."""

    name = "esignature_logs"
    path = "/request-logs"
    paginator_class = LogPages
    primary_keys = ("request_id",)
    replication_key = "created"

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Drop the headers."""
        for part in (row.get("request"), row.get("response")):
            if isinstance(part, dict):
                part.pop("headers", None)
        return super().post_process(row, context)


class Folder(SignNowStream):
    """The user's main folder, with the folders in it."""

    name = "esignature_folder"
    path = "/user/folder"
    paginator_class = SinglePage
    records_jsonpath = "$"


class Teams(SignNowStream):
    """Teams."""

    name = "esignature_teams"
    path = "/v2/teams"
    child_keys = {"team_id": "id"}


class TeamAdmins(SignNowStream):
    """Administrators of each team."""

    name = "esignature_team_admins"
    path = "/v2/teams/{team_id}/admins"
    parent_stream_type = Teams
    primary_keys = ("team_id", "user_id")
    replication_key = "updated"


class Brands(SignNowStream):
    """Brands."""

    name = "esignature_brands"
    path = "/v2/brands"
    primary_keys = ("unique_id",)


class CrmUsers(SignNowStream):
    """Users who share contacts."""

    name = "esignature_crm_users"
    path = "/v2/crm/users"


class CrmGroups(SignNowStream):
    """Groups of contacts."""

    name = "esignature_crm_groups"
    path = "/v2/crm/groups"
    replication_key = "updated_at"


class Organizations(SignNowStream):
    """Organizations."""

    name = "esignature_organizations"
    path = "/v2/organizations"


STREAMS = (
    User,
    UserModifiedDocuments,
    UserDocuments,
    CrmContacts,
    SigningLinks,
    Favourites,
    Logs,
    Folder,
    Teams,
    TeamAdmins,
    Brands,
    CrmUsers,
    CrmGroups,
    Organizations,
)
