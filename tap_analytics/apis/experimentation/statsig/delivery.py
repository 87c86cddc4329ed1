"""Further streams of Statsig: how changes are brought to users."""

from __future__ import annotations

from tap_analytics.apis.experimentation.statsig.client import OF_TEAM, StatsigStream, WholeList


class Environments(StatsigStream):
    """Environments."""

    name = "experimentation_environments"
    path = "/v1/environments"
    paginator_class = WholeList
    records_jsonpath = "$.data.environments[*]"


class ParamStores(StatsigStream):
    """Parameter stores."""

    name = "experimentation_param_stores"
    path = "/v1/param_stores"
    references = OF_TEAM


class Prompts(StatsigStream):
    """Prompts."""

    name = "experimentation_prompts"
    path = "/v1/prompts"
    replication_key = "lastModifiedTime"
    references = {**OF_TEAM, "creatorEmail": "users.email", "lastModifierEmail": "users.email"}


class ReleasePipelines(StatsigStream):
    """Release pipelines."""

    name = "experimentation_release_pipelines"
    path = "/v1/release_pipelines"


class ReleasePipelineTriggers(StatsigStream):
    """What went through release pipelines."""

    name = "experimentation_release_pipeline_triggers"
    path = "/v1/release_pipeline_triggers"
    references = {
        "releasePipelineID": "experimentation_release_pipelines.id",
        "gateID": "gates.id",
        "dynamicConfigID": "dynamic_configs.id",
    }


STREAMS = (Environments, ParamStores, Prompts, ReleasePipelines, ReleasePipelineTriggers)
