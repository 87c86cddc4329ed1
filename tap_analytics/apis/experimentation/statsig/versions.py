"""Further streams of Statsig: what gates and experiments were before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.apis.experimentation.statsig.client import StatsigStream
from tap_analytics.apis.experimentation.statsig.core import Experiments, Gates

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class VersionsStream(StatsigStream):
    """Base of versions, told apart by their number or, without one, by the time of their change."""

    primary_keys: tuple[str, ...] = ("id", "version")
    replication_key = "lastModifiedTime"

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Complete the key of a version."""
        if row.get("version") is None:
            row["version"] = row.get("lastModifiedTime")
        return super().post_process(row, context)


class ExperimentsVersions(VersionsStream):
    """Versions of each experiment."""

    name = "experimentation_experiments_versions"
    path = "/v1/experiments/{experiment_id}/versions"
    parent_stream_type = Experiments
    references = Experiments.references | {"id": "experiments.id"}


class GatesVersions(VersionsStream):
    """Versions of each gate."""

    name = "experimentation_gates_versions"
    path = "/v1/gates/{gate_id}/versions"
    parent_stream_type = Gates
    references = Gates.references | {"id": "gates.id"}


STREAMS = (ExperimentsVersions, GatesVersions)
