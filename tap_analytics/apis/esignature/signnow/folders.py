"""Further streams of SignNow: folders, and the documents and templates in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_analytics.apis.esignature.signnow.client import SignNowStream
from tap_analytics.engine.pages.pagination import Offsets, Totals, Unpaged

if TYPE_CHECKING:
    from collections.abc import Iterator

_BELOW = ("folders", "sub_folders")


class Folders(SignNowStream):
    """Folders, those within others as well."""

    name = "esignature_folders"
    path = "/v1/folder"
    paginator_class = Unpaged
    records_jsonpath = "$.folders[*]"
    child_keys = {"folder_id": "id"}
    fixed_params = {
        "subfolder-data": "1",
        "include_documents_subfolders": "1",
        "with_team_documents": "true",
    }
    left_out = _BELOW
    references = {"parent_id": "esignature_folders.id", "team_id": "esignature_teams.id"}

    def unwrap(self, body: Any) -> Any:
        """Return the tree of folders as a list, each with the key of the one it is in."""
        body = super().unwrap(body)
        if not isinstance(body, dict) or not isinstance(body.get("folders"), list):
            return body
        return {**body, "folders": list(_walk(body))}


def _walk(folder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the folders within one, however deep."""
    for below in _BELOW:
        for one in folder.get(below) or ():
            if isinstance(one, dict):
                yield {"parent_id": folder.get("id"), **one}
                yield from _walk(one)


class FolderPages(Offsets):
    """``offset`` with ``limit`` 100, the most there is."""

    total_path = ("total_documents",)
    totals = Totals.HINT


class FolderItems(SignNowStream):
    """Base of what is in folders."""

    path = "/folder/{folder_id}"
    parent_stream_type = Folders
    paginator_class = FolderPages
    records_jsonpath = "$.documents[*]"
    primary_keys = ("folder_id", "id")
    references = {"parent_id": "esignature_folders.id"}


class FolderDocuments(FolderItems):
    """Documents in each folder."""

    name = "esignature_folder_documents"
    fixed_params = {"entity_type": "document", "sortby": "created", "order": "asc"}
    left_out = ("signatures.data",)


class Templates(FolderItems):
    """Templates in each folder."""

    name = "esignature_templates"
    fixed_params = {"entity_type": "template", "sortby": "created", "order": "asc"}


STREAMS = (Folders, FolderDocuments, Templates)
