"""Further streams of Factorial: documents, without what is in them."""

from __future__ import annotations

from tap_analytics.apis.workforce.factorial.client import FactorialStream


class Documents(FactorialStream):
    """Documents, without their files.

    Signatures change without the time of the document, so they are read in full.
    """

    name = "workforce_documents"
    path = "/documents/documents"
    fixed_params = {"by_pending_assignment": "false", "by_trash_bin": "false"}
    references = {
        "author_id": "workforce_employees.access_id",
        "employee_id": "workforce_employees.id",
        "folder_id": "workforce_documents_folders.id",
        "leave_id": "workforce_leaves.id",
    }


class DocumentsFolders(FactorialStream):
    """Folders of documents."""

    name = "workforce_documents_folders"
    path = "/documents/folders"
    references = {
        "parent_folder_id": "workforce_documents_folders.id",
    }


STREAMS = (
    Documents,
    DocumentsFolders,
)
