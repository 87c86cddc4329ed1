"""The core of SignNow: the documented streams and those of the public connectors."""

from __future__ import annotations

from tap_analytics.apis.esignature import streams as documented
from tap_analytics.apis.esignature.signnow.client import (
    ContactPages,
    DocumentPages,
    LogPages,
    SignNowApplicationApi,
    SignNowStream,
)
from tap_analytics.engine.pages.pagination import SinglePage
from tap_analytics.engine.values.cursors import EpochSecondsText


class SignNowDocuments(SignNowStream):
    """Base of the lists of documents: arrays, without the images of signatures."""

    paginator_class = DocumentPages
    records_jsonpath = "$[*]"
    replication_key = "updated"
    cursor = EpochSecondsText()
    left_out = ("signatures.data",)
    references = {"parent_id": "esignature_folders.id"}


class User(documented.User, SignNowStream):
    """The user behind the key."""

    paginator_class = SinglePage
    records_jsonpath = "$"


class UserModifiedDocuments(documented.UserModifiedDocuments, SignNowDocuments):
    """Documents that were changed, such as signed or sent to somebody."""

    paginator_class = DocumentPages
    child_keys = {"document_id": "id"}


class UserDocuments(SignNowDocuments):
    """Documents that were not changed yet; with the changed ones they are all."""

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
    append_only = True
    left_out = ("request.headers", "response.headers")


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
    child_keys = {"organization_id": "id"}


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
