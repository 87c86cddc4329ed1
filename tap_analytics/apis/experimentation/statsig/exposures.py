"""Further streams of Statsig: how many units came to see what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from tap_analytics.apis.experimentation.statsig.client import StatsigStream, WholeList
from tap_analytics.apis.experimentation.statsig.core import DynamicConfigs, Experiments, Gates
from tap_analytics.engine.errors import Gone
from tap_analytics.engine.values import times

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from tap_analytics.engine.errors import ReadError

_COUNTS = ("pastDay", "past7Days")
_NUMBER = re.compile(r"\d+(\.\d+)?")


class ExperimentsCumulativeExposures(StatsigStream):
    """Exposures of each group of each experiment up to each day."""

    name = "experimentation_experiments_cumulative_exposures"
    path = "/v1/experiments/{experiment_id}/cumulative_exposures"
    parent_stream_type = Experiments
    paginator_class = WholeList
    of_every_parent = True
    primary_keys = ("experiment_id", "groupID", "date")
    references = {"groupID": "experimentation_experiments_groups.id"}

    def unwrap(self, body: Any) -> Any:
        """Return the body with a row for each group and day."""
        body = super().unwrap(body)
        groups = body.get("data") if isinstance(body, dict) else None
        if not isinstance(groups, list):
            return body
        rows = [
            {**{name: value for name, value in group.items() if name != "results"}, **day}
            for group in groups
            for day in _days(group)
        ]
        return {**body, "data": rows}

    def is_nothing(self, error: ReadError) -> bool:
        """Tell whether an experiment has no exposures, as yet or at all."""
        return isinstance(error, Gone)


class ExposureCounts(StatsigStream):
    """Base of counts that are a snapshot without a date: one row for each day of asking."""

    path = "/v1/exposure_count"
    paginator_class = WholeList
    of_every_parent = True
    append_only = True
    primary_keys: tuple[str, ...] = ("id", "date")
    kind: ClassVar[str]

    def unwrap(self, body: Any) -> Any:
        """Return the body with the rows that have a count; of others it is not available."""
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, dict):
            return super().unwrap(body)
        rows = data.get(self.kind) or ()
        counted = list(filter(_has_count, rows if isinstance(rows, list) else [rows]))
        return {**body, "data": counted}

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Stamp the day."""
        row["date"] = times.day(times.now())
        return super().post_process(row, context)


def _days(group: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a group has for each day; one without a list of them is a day itself."""
    return (group["results"] or []) if "results" in group else [{}]


def _has_count(row: Any) -> bool:
    return isinstance(row, dict) and any(_NUMBER.fullmatch(str(row.get(name))) for name in _COUNTS)


class ExperimentsExposureCounts(ExposureCounts):
    """Exposures of each experiment of late."""

    name = "experimentation_experiments_exposure_counts"
    parent_stream_type = Experiments
    context_params = {"experiments": "experiment_id"}
    kind = "experiments"
    references = {"id": "experiments.id"}


class GatesExposureCounts(ExposureCounts):
    """Exposures of each gate of late."""

    name = "experimentation_gates_exposure_counts"
    parent_stream_type = Gates
    context_params = {"gates": "gate_id"}
    kind = "gates"
    references = {"id": "gates.id"}


class DynamicConfigsExposureCounts(ExposureCounts):
    """Exposures of each dynamic config of late."""

    name = "experimentation_dynamic_configs_exposure_counts"
    parent_stream_type = DynamicConfigs
    context_params = {"dynamicConfigs": "dynamic_config_id"}
    kind = "dynamicConfigs"
    references = {"id": "dynamic_configs.id"}


STREAMS = (
    ExperimentsCumulativeExposures,
    ExperimentsExposureCounts,
    GatesExposureCounts,
    DynamicConfigsExposureCounts,
)
