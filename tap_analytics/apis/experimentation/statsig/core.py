"""The core of Statsig: the documented streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_analytics.apis.experimentation import streams as documented
from tap_analytics.apis.experimentation.client import IdListPages
from tap_analytics.apis.experimentation.statsig.client import (
    OF_TEAM,
    RulesStream,
    StatsigStream,
    UnsizedPages,
    WholeList,
)
from tap_analytics.apis.experimentation.statsig.days import read_day
from tap_analytics.engine.slices import SinceDay
from tap_analytics.engine.values.cursors import Day

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from tap_analytics.engine.errors import ReadError

_NO_SUCH_DAY = (400, 404)
_MODIFIED = {"lastModifiedTime": "lastModifiedTime"}
_RELEASED = {"releasePipelineID": "experimentation_release_pipelines.id"}


class AuditLogs(documented.AuditLogs, SinceDay, StatsigStream):
    """Who changed what, from the day of the bookmark on.

    Its times are made for people; `day` is read from `date`. Zones may differ, and the oldest
    rows are forgotten some day.
    """

    replication_key = "day"
    cursor = Day()
    lookback_days = 2
    append_only = True
    fixed_params = {"sortKey": "time", "sortOrder": "asc"}

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Add the day as a date; null if its text cannot be read."""
        row["day"] = read_day(row.get("date"))
        return super().post_process(row, context)


class Autotunes(documented.Autotunes, StatsigStream):
    """Autotune experiments."""

    references = documented.Autotunes.references | OF_TEAM


class DynamicConfigs(documented.DynamicConfigs, StatsigStream):
    """Dynamic configs."""

    references = documented.DynamicConfigs.references | OF_TEAM | _RELEASED


class DynamicConfigsVersions(documented.DynamicConfigsVersions, StatsigStream):
    """Versions of each dynamic config."""

    parent_stream_type = DynamicConfigs
    references = documented.DynamicConfigsVersions.references | OF_TEAM | _RELEASED


class DynamicConfigsRules(documented.DynamicConfigsRules, RulesStream):
    """Rules of each dynamic config, with the time of the config's change."""

    parent_stream_type = DynamicConfigs
    primary_keys = ("dynamic_config_id", "baseID")
    parent_fields = _MODIFIED


class Events(documented.Events, StatsigStream):
    """A sample of the latest logged events."""


class EventsMetrics(documented.EventsMetrics, StatsigStream):
    """Metrics made from each event."""

    parent_stream_type = Events
    references = documented.EventsMetrics.references | OF_TEAM


class Experiments(documented.Experiments, StatsigStream):
    """Experiments."""

    references = documented.Experiments.references | {
        **OF_TEAM,
        "controlGroupID": "experimentation_experiments_groups.id",
        "launchedGroupID": "experimentation_experiments_groups.id",
        "assignmentSourceName": "experimentation_experiments_assignment_sources.name",
        "identityResolutionSource": "experimentation_experiments_entity_properties.name",
    }


class Gates(documented.Gates, StatsigStream):
    """Feature gates, archived ones included."""

    fixed_params = {"includeArchived": "true", "includeArchiveMetadata": "true"}
    references = documented.Gates.references | OF_TEAM | _RELEASED


class GatesRules(documented.GatesRules, RulesStream):
    """Rules of each feature gate, with the time of the gate's change."""

    parent_stream_type = Gates
    primary_keys = ("gate_id", "baseID")
    parent_fields = _MODIFIED


class Holdouts(documented.Holdouts, StatsigStream):
    """Holdouts."""

    references = documented.Holdouts.references | OF_TEAM


class IngestionStatus(documented.IngestionStatus, StatsigStream):
    """State of data ingestion, asked for by a first and a last day."""

    paginator_class = WholeList


class IngestionRuns(documented.IngestionRuns, StatsigStream):
    """Runs of data ingestion."""

    paginator_class = UnsizedPages


class Layers(documented.Layers, StatsigStream):
    """Layers."""

    references = documented.Layers.references | OF_TEAM


class Metrics(documented.Metrics, StatsigStream):
    """Metric definitions, hidden ones included."""

    fixed_params = {"showHiddenMetrics": "true"}
    references = documented.Metrics.references | OF_TEAM


class MetricsValues(documented.MetricsValues, StatsigStream):
    """Values of all metrics on each day; they are restated for days after."""

    lookback_days = 4

    def is_nothing(self, error: ReadError) -> bool:
        """Tell whether there is no data for a day, as yet or at all."""
        return error.status in _NO_SUCH_DAY and "no data" in str(error).lower()


class Segments(documented.Segments, StatsigStream):
    """Segments of users."""

    references = documented.Segments.references | OF_TEAM

    def get_child_context(self, record: Record, context: Context | None) -> dict[str, Any] | None:
        """Lead to a list of ids only where a segment has one of its own."""
        is_list = record.get("type") in (None, "id_list")
        return super().get_child_context(record, context) if is_list else None


class LongIdListPages(IdListPages):
    """As many ids a page as a server may allow: there may be ten million of them."""

    size = 1000
    surely = 100


class SegmentsIds(documented.SegmentsIds, StatsigStream):
    """The list of ids of each segment that has one, read whatever became of the segment.

    Ids come and go while the segment's `lastModifiedTime` stands still.
    """

    parent_stream_type = Segments
    paginator_class = LongIdListPages
    of_every_parent = True


class Tags(documented.Tags, StatsigStream):
    """Tags."""


class TargetApps(documented.TargetApps, StatsigStream):
    """Target apps, whose name stands for an id where there is none."""

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Complete the key of a row."""
        if row.get("id") is None:
            row["id"] = row.get("name")
        return super().post_process(row, context)


class Users(documented.Users, StatsigStream):
    """Members of the project."""


STREAMS = (
    AuditLogs,
    Autotunes,
    DynamicConfigs,
    DynamicConfigsVersions,
    DynamicConfigsRules,
    Events,
    EventsMetrics,
    Experiments,
    Gates,
    GatesRules,
    Holdouts,
    IngestionStatus,
    IngestionRuns,
    Layers,
    Metrics,
    MetricsValues,
    Segments,
    SegmentsIds,
    Tags,
    TargetApps,
    Users,
)
