"""The e-signature streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_analytics.apis.esignature.client import ApplicationApi, EsignatureStream, SinglePageStream
from tap_analytics.engine.pages.pagination import SinglePage
from tap_analytics.engine.values.cursors import EpochSecondsText

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from tap_analytics.engine.pages.pagination import Paginator


class User(SinglePageStream):
    """The user behind the key."""

    name = "user"
    path = "/user"


class UserModifiedDocuments(EsignatureStream):
    """Documents that changed lately or wait for somebody."""

    name = "user_modified_documents"
    paginator_class: ClassVar[type[Paginator]] = SinglePage
    path = "/user/documentsv2"
    replication_key = "updated"
    cursor = EpochSecondsText()


class CrmContacts(EsignatureStream):
    """Contacts; the time of their last change is lifted from their meta data."""

    name = "crm_contacts"
    path = "/v2/crm/contacts"
    replication_key = "updated"

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Put the time of the last change where it can be a replication key."""
        meta = row.get("meta")
        if isinstance(meta, dict) and "updated_at" in meta:
            row["updated"] = meta["updated_at"]
        return super().post_process(row, context)


class SigningLinks(EsignatureStream):
    """Signing links of the application."""

    api = ApplicationApi
    name = "signing_links"
    path = "/v2/application/signing-links"
    replication_key = "created"


DOCUMENTED = (User, UserModifiedDocuments, CrmContacts, SigningLinks)
