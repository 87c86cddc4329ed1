"""The experimentation streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_analytics.apis.experimentation.client import ExperimentationStream, IdListPages
from tap_analytics.engine.pages.pagination import SinglePage
from tap_analytics.engine.slices import DayWindow, EachDay
from tap_analytics.engine.values.cursors import Day, IsoTime

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_analytics.engine.pages.page import Page
    from tap_analytics.engine.pages.pagination import Paginator

_BY_USERS = dict.fromkeys(("creatorEmail", "lastModifierEmail"), "users.email")


class AuditLogs(ExperimentationStream):
    """Who changed what."""

    name = "audit_logs"
    path = "/v1/audit_logs"
    references = {"modifierEmail": "users.email"}


class Autotunes(ExperimentationStream):
    """Autotune experiments."""

    name = "autotunes"
    path = "/v1/autotunes"
    replication_key = "lastModifiedTime"
    references = _BY_USERS


class DynamicConfigs(ExperimentationStream):
    """Dynamic configs."""

    name = "dynamic_configs"
    path = "/v1/dynamic_configs"
    replication_key = "lastModifiedTime"
    child_keys = {"dynamic_config_id": "id"}
    references = _BY_USERS


class DynamicConfigsVersions(ExperimentationStream):
    """Versions of each dynamic config."""

    name = "dynamic_configs_versions"
    path = "/v1/dynamic_configs/{dynamic_config_id}/versions"
    parent_stream_type = DynamicConfigs
    primary_keys = ("id", "version")
    replication_key = "lastModifiedTime"
    references = {**_BY_USERS, "id": "dynamic_configs.id"}


class DynamicConfigsRules(ExperimentationStream):
    """Rules of each dynamic config."""

    name = "dynamic_configs_rules"
    path = "/v1/dynamic_configs/{dynamic_config_id}/rules"
    parent_stream_type = DynamicConfigs
    primary_keys = ("dynamic_config_id", "id")
    records_jsonpath = "$.data[*].rules[*]"


class Events(ExperimentationStream):
    """A sample of the latest logged events."""

    name = "events"
    path = "/v1/events"
    primary_keys = ("row_key",)
    child_keys = {"event_name": "name"}


class EventsMetrics(ExperimentationStream):
    """Metrics made from each event."""

    name = "events_metrics"
    path = "/v1/events/{event_name}/metrics"
    parent_stream_type = Events
    primary_keys = ("event_name", "id")
    replication_key = "createdTime"
    references = {**_BY_USERS, "id": "metrics.id"}


class Experiments(ExperimentationStream):
    """Experiments."""

    name = "experiments"
    path = "/v1/experiments"
    replication_key = "lastModifiedTime"
    child_keys = {"experiment_id": "id"}
    references = {**_BY_USERS, "layerID": "layers.id", "targetingGateID": "gates.id"}


class Gates(ExperimentationStream):
    """Feature gates."""

    name = "gates"
    path = "/v1/gates"
    replication_key = "lastModifiedTime"
    child_keys = {"gate_id": "id"}
    references = {**_BY_USERS, "archivedByEmail": "users.email"}


class GatesRules(ExperimentationStream):
    """Rules of each feature gate."""

    name = "gates_rules"
    path = "/v1/gates/{gate_id}/rules"
    parent_stream_type = Gates
    primary_keys = ("gate_id", "id")
    records_jsonpath = "$.data[*].rules[*]"
    child_keys = {"gate_id": "gate_id", "rule_id": "id", "rule_base_id": "baseID"}


class Holdouts(ExperimentationStream):
    """Holdouts."""

    name = "holdouts"
    path = "/v1/holdouts"
    replication_key = "lastModifiedTime"
    child_keys = {"holdout_id": "id"}
    references = {**_BY_USERS, "targetingGateID": "gates.id"}


class IngestionStatus(DayWindow, ExperimentationStream):
    """State of data ingestion, asked for by a first and a last day."""

    name = "ingestion_status"
    path = "/v1/ingestion/status"
    paginator_class: ClassVar[type[Paginator]] = SinglePage
    primary_keys = ("row_key",)
    replication_key = "timestamp"
    cursor = IsoTime()


class IngestionRuns(ExperimentationStream):
    """Runs of data ingestion."""

    name = "ingestion_runs"
    path = "/v1/ingestion/runs"
    primary_keys = ("runID",)
    replication_key = "lastUpdatedAt"
    cursor = IsoTime()


class Layers(ExperimentationStream):
    """Layers."""

    name = "layers"
    path = "/v1/layers"
    replication_key = "lastModifiedTime"
    child_keys = {"layer_id": "id"}
    references = _BY_USERS


class Metrics(ExperimentationStream):
    """Metric definitions."""

    name = "metrics"
    path = "/v1/metrics/list"
    child_keys = {"metric_id": "id"}
    references = _BY_USERS


class MetricsValues(EachDay, ExperimentationStream):
    """Values of all metrics on each day."""

    name = "metrics_values"
    path = "/v1/metrics/values"
    primary_keys = ("date", "metricName", "metricType", "unitType")
    replication_key = "date"
    cursor = Day()
    context_params = {"date": "date"}


class Segments(ExperimentationStream):
    """Segments of users."""

    name = "segments"
    path = "/v1/segments"
    replication_key = "lastModifiedTime"
    child_keys = {"segment_id": "id"}
    references = _BY_USERS


class SegmentsIds(ExperimentationStream):
    """The list of ids of each segment."""

    name = "segments_ids"
    path = "/v1/segments/{segment_id}/id_list"
    parent_stream_type = Segments
    paginator_class = IdListPages
    primary_keys = ("segment_id",)

    def merge(self, pages: Iterable[Page]) -> Iterator[Page]:
        """Put the ids of all pages into the object on the first one."""
        first: Page | None = None
        known: set[str] = set()
        for page in pages:
            first = first or page
            if first.records and page.records:
                ids = page.records[0].get("ids") or []
                if page is not first and ids:
                    new = [one for one in ids if one not in known]
                    first.records[0]["ids"] = [*(first.records[0].get("ids") or []), *new]
                known.update(ids)
        if first is not None:
            yield first


class Tags(ExperimentationStream):
    """Tags."""

    name = "tags"
    path = "/v1/tags"


class TargetApps(ExperimentationStream):
    """Target apps."""

    name = "target_apps"
    path = "/v1/target_app"


class Users(ExperimentationStream):
    """Members of the project."""

    name = "users"
    path = "/v1/users"
    primary_keys = ("email",)


DOCUMENTED = (
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
