"""Further streams of Factorial: roles and their levels."""

from __future__ import annotations

from tap_analytics.apis.workforce.factorial.client import FactorialStream


class JobCatalogRoles(FactorialStream):
    """Roles."""

    name = "workforce_job_catalog_roles"
    path = "/job_catalog/roles"


class JobCatalogLevels(FactorialStream):
    """Levels of roles."""

    name = "workforce_job_catalog_levels"
    path = "/job_catalog/levels"
    references = {
        "role_id": "workforce_job_catalog_roles.id",
    }


STREAMS = (
    JobCatalogRoles,
    JobCatalogLevels,
)
