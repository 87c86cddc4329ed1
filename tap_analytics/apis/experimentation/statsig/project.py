"""Further streams of Statsig: the project and who works on it."""

from __future__ import annotations

from tap_analytics.apis.experimentation.statsig.client import StatsigStream, WholeList


class Companies(StatsigStream):
    """The company that the key is of."""

    name = "experimentation_companies"
    path = "/v1/company"
    primary_keys = ("companyID",)
    paginator_class = WholeList


class Projects(StatsigStream):
    """The project that the key is of."""

    name = "experimentation_projects"
    path = "/v1/project"
    paginator_class = WholeList


class Roles(StatsigStream):
    """Roles, and what they may do."""

    name = "experimentation_roles"
    path = "/v1/roles"
    primary_keys = ("name",)


class UnitIdTypes(StatsigStream):
    """Kinds of units that can be told apart."""

    name = "experimentation_unit_id_types"
    path = "/v1/unit_id_types"
    primary_keys = ("name",)


class UsersTeams(StatsigStream):
    """Teams, with their defaults."""

    name = "experimentation_users_teams"
    path = "/v1/users/teams"
    references = {"defaultHoldoutID": "holdouts.id"}


STREAMS = (Companies, Projects, Roles, UnitIdTypes, UsersTeams)
