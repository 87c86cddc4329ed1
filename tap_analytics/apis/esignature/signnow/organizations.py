"""Further streams of SignNow: who is in an organization, and all of its documents."""

from __future__ import annotations

from tap_analytics.apis.esignature.signnow.client import SignNowPages, SignNowStream
from tap_analytics.apis.esignature.signnow.core import Organizations


class OrganizationMembers(SignNowStream):
    """Members of each organization."""

    name = "esignature_organization_members"
    path = "/v2/organizations/{organization_id}/members"
    parent_stream_type = Organizations
    primary_keys = ("organization_id", "id")


class SearchPages(SignNowPages):
    """Newest change first: a document that is changed meanwhile moves to the front."""

    size = 30
    newest_first = True
    repeat_ends = False  # a page may be the one before, moved on by what came in front


class OrganizationDocuments(SignNowStream):
    """Documents of everybody in each organization, by the search that administrators have."""

    name = "esignature_organization_documents"
    path = "/v2/organizations/{organization_id}/documents/search"
    parent_stream_type = Organizations
    paginator_class = SearchPages
    primary_keys = ("organization_id", "id")
    replication_key = "updated"
    newest_change_first = True
    lookback_days = 1
    fixed_params = {"sort[changed]": "desc"}
    references = {"user_id": "esignature_organization_members.id"}


STREAMS = (OrganizationMembers, OrganizationDocuments)
