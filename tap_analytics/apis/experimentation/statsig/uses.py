"""Further streams of Statsig: which of its things use which."""

from __future__ import annotations

from tap_analytics.apis.experimentation.statsig.client import StatsigStream
from tap_analytics.apis.experimentation.statsig.core import Gates, Layers, Metrics
from tap_analytics.engine.links import Links


class UsesStream(Links, StatsigStream):
    """Base of what uses something else, which does not change by that."""

    of_every_parent = True


class LayersExperiments(UsesStream):
    """Which experiments are in each layer."""

    name = "experimentation_layers_experiments"
    path = "/v1/layers/{layer_id}/experiments"
    parent_stream_type = Layers
    primary_keys = ("layer_id", "id")
    references = {"id": "experiments.id"}


class MetricsExperiments(UsesStream):
    """Which experiments use each metric."""

    name = "experimentation_metrics_experiments"
    path = "/v1/metrics/{metric_id}/experiments"
    parent_stream_type = Metrics
    primary_keys = ("metric_id", "id")
    references = {"id": "experiments.id"}


class GatesDynamicConfigReferences(UsesStream):
    """Which dynamic configs use each gate."""

    name = "experimentation_gates_dynamic_config_references"
    path = "/v1/gates/{gate_id}/dynamic_config_references"
    parent_stream_type = Gates
    primary_keys = ("gate_id", "id")
    references = {"id": "dynamic_configs.id"}


class GatesExperimentReferences(UsesStream):
    """Which experiments use each gate."""

    name = "experimentation_gates_experiment_references"
    path = "/v1/gates/{gate_id}/experiment_references"
    parent_stream_type = Gates
    primary_keys = ("gate_id", "id")
    references = {"id": "experiments.id"}


class GatesGateReferences(UsesStream):
    """Which gates use each gate."""

    name = "experimentation_gates_gate_references"
    path = "/v1/gates/{gate_id}/gate_references"
    parent_stream_type = Gates
    primary_keys = ("gate_id", "id")
    references = {"id": "gates.id"}


STREAMS = (
    LayersExperiments,
    MetricsExperiments,
    GatesDynamicConfigReferences,
    GatesExperimentReferences,
    GatesGateReferences,
)
