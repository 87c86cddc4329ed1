"""Further streams of Statsig: what experiments, rules of gates and holdouts brought about."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tap_analytics.apis.experimentation.statsig.client import StatsigStream, WholeList
from tap_analytics.apis.experimentation.statsig.core import Experiments, GatesRules, Holdouts
from tap_analytics.engine.errors import Gone
from tap_analytics.engine.pages.pagination import SinglePage

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from tap_analytics.engine.errors import ReadError

_LISTS = ("primaryMetrics", "secondaryMetrics", "otherMetrics", "monitoringMetrics")
_NONE = re.compile(r"\bno\b", re.IGNORECASE)
_UNDERSCORE = re.compile(r"_([a-z])")


class ExperimentsGroups(StatsigStream):
    """Groups of each experiment, from the experiments themselves."""

    name = "experimentation_experiments_groups"
    path = "/v1/experiments"
    parent_stream_type = Experiments
    inside = "groups"
    paginator_class = SinglePage
    primary_keys = ("experiment_id", "id")
    parent_fields = {"control_group_id": "controlGroupID"}
    references = {"control_group_id": "experimentation_experiments_groups.id"}
    child_keys = {
        "experiment_id": "experiment_id",
        "control_group_id": "control_group_id",
        "test_group_id": "id",
    }

    def get_child_context(self, record: Record, context: Context | None) -> dict[str, Any] | None:
        """Lead to a comparison with the control group, which is not compared with itself."""
        is_control = record.get("id") == record.get("control_group_id")
        return None if is_control else super().get_child_context(record, context)


class ResultsStream(StatsigStream):
    """Base of results: one row a metric, from one object with lists of them.

    Only the latest results are shown; those of each day stay. Where there are none, the answer
    is a refusal.
    """

    paginator_class = WholeList
    of_every_parent = True
    append_only = True

    def unwrap(self, body: Any) -> Any:
        """Return the body with a row for each metric; sources disagree on how names are spelt."""
        body = super().unwrap(body)
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, dict | list):
            return body
        rows = [row for part in (data if isinstance(data, list) else [data]) for row in _rows(part)]
        return {**body, "data": rows}

    def is_nothing(self, error: ReadError) -> bool:
        """Tell whether there are no results, as yet or at all."""
        says_none = error.status == HTTPStatus.BAD_REQUEST and _NONE.search(str(error))
        return isinstance(error, Gone) or bool(says_none)


def _rows(part: Any) -> list[dict[str, Any]]:
    found = _spelt(part)
    if "metricID" in found and not found.keys() & set(_LISTS):
        return [found]  # a metric on its own: nothing says which list it is of, so it is refused
    return [
        {**_spelt(metric), "ds": found.get("ds"), "metric_list": name.removesuffix("Metrics")}
        for name in _LISTS
        for metric in found.get(name) or ()
    ]


def _spelt(part: Any) -> dict[str, Any]:
    """Return an object with its names in camel case, such as `metricID` for `metric_id`."""
    if not isinstance(part, dict):
        return {}
    return {
        re.sub(r"Id$", "ID", _UNDERSCORE.sub(lambda found: found[1].upper(), name)): value
        for name, value in part.items()
    }


class ExperimentsPulseResults(ResultsStream):
    """Results of each experiment: a row for each group beside the control group, and metric."""

    name = "experimentation_experiments_pulse_results"
    path = "/v1/experiments/{experiment_id}/pulse_results"
    parent_stream_type = ExperimentsGroups
    context_params = {"control": "control_group_id", "test": "test_group_id"}
    primary_keys = (
        "experiment_id",
        "control_group_id",
        "test_group_id",
        "ds",
        "metric_list",
        "metricID",
    )
    references = {
        "experiment_id": "experiments.id",
        "control_group_id": "experimentation_experiments_groups.id",
        "metricID": "metrics.id",
    }


class GatesRulesPulseResults(ResultsStream):
    """Results of each rule of each gate."""

    name = "experimentation_gates_rules_pulse_results"
    path = "/v1/gates/{gate_id}/rules/{rule_id}/pulse_results"
    parent_stream_type = GatesRules
    primary_keys = ("gate_id", "rule_base_id", "ds", "metric_list", "metricID")
    references = {"gate_id": "gates.id", "metricID": "metrics.id"}


class HoldoutsPulseResults(ResultsStream):
    """Results of each holdout."""

    name = "experimentation_holdouts_pulse_results"
    path = "/v1/holdouts/{holdout_id}/pulse_results"
    parent_stream_type = Holdouts
    primary_keys = ("holdout_id", "ds", "metric_list", "metricID")
    references = {"metricID": "metrics.id"}


STREAMS = (
    ExperimentsGroups,
    ExperimentsPulseResults,
    GatesRulesPulseResults,
    HoldoutsPulseResults,
)
