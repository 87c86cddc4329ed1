"""Further streams of SignNow: groups of documents that are signed together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tap_analytics.apis.esignature.signnow.client import SignNowStream
from tap_analytics.engine.pages.pagination import Offsets, SinglePage, Totals, Unpaged

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from tap_analytics.engine.pages.pagination import Paginator


class GroupPages(Offsets):
    """``offset`` with ``limit`` 50, the most there is; both have to be there."""

    size = 50
    total_path = ("document_group_total_count",)
    totals = Totals.HINT


class DocumentGroups(SignNowStream):
    """Groups of documents."""

    name = "esignature_document_groups"
    path = "/user/documentgroups"
    paginator_class = GroupPages
    records_jsonpath = "$.document_groups[*]"
    primary_keys = ("group_id",)
    child_keys = {"document_group_id": "group_id", "group_invite_id": "invite_id"}

    def get_child_context(self, record: Record, context: Context | None) -> dict[str, Any] | None:
        """Return what is asked for below a group, which has no invite before it is sent."""
        invite = record.get("invite_id") or ""
        return super().get_child_context({**record, "invite_id": invite}, context)


class DocumentGroupDocuments(SignNowStream):
    """Documents in each group, from the groups themselves."""

    name = "esignature_document_group_documents"
    path = "/user/documentgroups"
    parent_stream_type = DocumentGroups
    inside = "documents"
    paginator_class = SinglePage
    records_jsonpath = "$[*]"
    primary_keys = ("document_group_id", "id")
    references = {"id": "esignature_folder_documents.id"}


class OfGroup(SignNowStream):
    """Base of what is asked for once for each group."""

    by_default = False
    parent_stream_type = DocumentGroups
    paginator_class: ClassVar[type[Paginator]] = SinglePage


class DocumentGroupDetails(OfGroup):
    """State of each group and of the invites to its documents, its folder and owner."""

    name = "esignature_document_group_details"
    path = "/v2/document-groups/{document_group_id}"
    records_jsonpath = "$.data"
    references = {
        "id": "esignature_document_groups.group_id",
        "folder_id": "esignature_folders.id",
        "invite_id": "esignature_document_group_invites.id",
        "last_invite_id": "esignature_document_group_invites.id",
    }


class DocumentGroupRecipients(OfGroup):
    """Who signs the documents of each group, and in which order."""

    name = "esignature_document_group_recipients"
    path = "/v2/document-groups/{document_group_id}/recipients"
    paginator_class = Unpaged
    records_jsonpath = "$.data.recipients[*]"
    primary_keys = ("document_group_id", "name", "order")
    left_out = ("attributes.authentication.value",)


class DocumentGroupInvites(OfGroup):
    """Invites to each group that was sent, with their steps."""

    name = "esignature_document_group_invites"
    path = "/documentgroup/{document_group_id}/groupinvite/{group_invite_id}"
    records_jsonpath = "$.invite"
    primary_keys = ("document_group_id", "id")

    def preprocess_context(self, context: Context) -> Context | None:  # type: ignore[override]
        """Lead to an invite only from the groups that have one."""
        return context if context["group_invite_id"] else None


class TemplateGroupPages(GroupPages):
    """Pages of groups of templates, which are counted by another name."""

    total_path = ("document_group_template_total_count",)


class DocumentGroupTemplates(SignNowStream):
    """Groups of templates that groups of documents are made from."""

    name = "esignature_document_group_templates"
    path = "/user/documentgroup/templates"
    paginator_class = TemplateGroupPages
    records_jsonpath = "$.document_group_templates[*]"
    primary_keys = ("template_group_id",)
    references = {"folder_id": "esignature_folders.id"}


STREAMS = (
    DocumentGroups,
    DocumentGroupDocuments,
    DocumentGroupDetails,
    DocumentGroupRecipients,
    DocumentGroupInvites,
    DocumentGroupTemplates,
)
