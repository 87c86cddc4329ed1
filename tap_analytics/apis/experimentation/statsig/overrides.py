"""Further streams of Statsig: who gets what, whatever the rules say."""

from __future__ import annotations

from tap_analytics.apis.experimentation.statsig.client import StatsigStream, WholeList
from tap_analytics.apis.experimentation.statsig.core import Experiments, Gates, Holdouts, Layers


class OverridesStream(StatsigStream):
    """Base of overrides: one object for each of what they are of."""

    paginator_class = WholeList
    of_every_parent = True


class ExperimentsOverrides(OverridesStream):
    """Overrides of each experiment."""

    name = "experimentation_experiments_overrides"
    path = "/v1/experiments/{experiment_id}/overrides"
    parent_stream_type = Experiments
    primary_keys = ("experiment_id",)


class GatesOverrides(OverridesStream):
    """Overrides of each gate."""

    name = "experimentation_gates_overrides"
    path = "/v1/gates/{gate_id}/overrides"
    parent_stream_type = Gates
    primary_keys = ("gate_id",)


class HoldoutsOverrides(OverridesStream):
    """Overrides of each holdout."""

    name = "experimentation_holdouts_overrides"
    path = "/v1/holdouts/{holdout_id}/overrides"
    parent_stream_type = Holdouts
    primary_keys = ("holdout_id",)


class LayersOverrides(OverridesStream):
    """Overrides of each layer."""

    name = "experimentation_layers_overrides"
    path = "/v1/layers/{layer_id}/overrides"
    parent_stream_type = Layers
    primary_keys = ("layer_id",)


STREAMS = (ExperimentsOverrides, GatesOverrides, HoldoutsOverrides, LayersOverrides)
