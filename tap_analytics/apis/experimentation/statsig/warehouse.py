"""Further streams of Statsig: what projects on a warehouse of their own have."""

from __future__ import annotations

from tap_analytics.apis.experimentation.statsig.client import OF_TEAM, StatsigStream
from tap_analytics.apis.experimentation.statsig.core import Experiments, GatesRules
from tap_analytics.engine.links import Links


class LoadsStream(StatsigStream):
    """Base of loads of results, which go on after they were made."""

    of_every_parent = True


class MetricSources(StatsigStream):
    """Sources of metrics."""

    name = "experimentation_metric_sources"
    path = "/v1/metrics/metric_source/list"
    primary_keys = ("name",)
    child_keys = {"metric_source_name": "name"}
    references = OF_TEAM


class MetricSourcesMetrics(Links, StatsigStream):
    """Which metrics are made from each source."""

    name = "experimentation_metric_sources_metrics"
    path = "/v1/metrics/metric_source/{metric_source_name}/metrics"
    parent_stream_type = MetricSources
    primary_keys = ("metric_source_name", "id")
    references = {"id": "metrics.id"}


class AssignmentSources(StatsigStream):
    """Sources of assignments to groups."""

    name = "experimentation_experiments_assignment_sources"
    path = "/v1/experiments/assignment_sources"
    primary_keys = ("name",)
    references = OF_TEAM


class EntityProperties(StatsigStream):
    """Sources of properties of units."""

    name = "experimentation_experiments_entity_properties"
    path = "/v1/experiments/entity_properties"
    primary_keys = ("name",)
    references = OF_TEAM


class QualifyingEvents(StatsigStream):
    """Sources of events that qualify units."""

    name = "experimentation_experiments_qualifying_events"
    path = "/v1/experiments/qualifying_events"
    primary_keys = ("name",)
    references = OF_TEAM


class ExperimentsPulseLoads(LoadsStream):
    """Loads of the results of each experiment."""

    name = "experimentation_experiments_pulse_load_histories"
    path = "/v1/experiments/{experiment_id}/pulse_load_history"
    parent_stream_type = Experiments
    primary_keys = ("experiment_id", "dagID")


class GatesRulesPulseLoads(LoadsStream):
    """Loads of the results of each rule of each gate."""

    name = "experimentation_gates_rules_pulse_load_histories"
    path = "/v1/gates/{gate_id}/rules/{rule_id}/pulse_load_history"
    parent_stream_type = GatesRules
    primary_keys = ("gate_id", "rule_base_id", "dagID")
    references = {"gate_id": "gates.id"}


STREAMS = (
    MetricSources,
    MetricSourcesMetrics,
    AssignmentSources,
    EntityProperties,
    QualifyingEvents,
    ExperimentsPulseLoads,
    GatesRulesPulseLoads,
)
