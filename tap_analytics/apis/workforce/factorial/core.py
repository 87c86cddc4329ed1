"""The core of Factorial: the documented streams and those of the public connectors."""

from __future__ import annotations

from tap_analytics.apis.workforce import streams as documented
from tap_analytics.apis.workforce.factorial.client import FactorialStream
from tap_analytics.engine.slices import DateWindows

_WITH_MEMBERS = {"with_employee_ids": "true", "with_periods": "true"}


class PublicCredentials(documented.PublicCredentials, FactorialStream):
    """The company behind the key."""

    path = "/api_public/credentials"
    references = {"employee_id": "workforce_employees.id"}


class WebhookSubscriptions(documented.WebhookSubscriptions, FactorialStream):
    """Webhooks that were set up."""

    path = "/api_public/webhook_subscriptions"


class Tasks(documented.Tasks, FactorialStream):
    """Tasks of employees."""

    path = "/tasks/tasks"
    references = {"author_employee_id": "workforce_employees.id"}


class Schedules(documented.Schedules, FactorialStream):
    """Work schedules, with the employees and periods they hold for, whose changes leave no time.

    They are read in full.
    """

    path = "/work_schedule/schedules"
    replication_key = None
    fixed_params = _WITH_MEMBERS


class OverlapPeriods(documented.OverlapPeriods, FactorialStream):
    """Periods of work schedules that overlap."""

    path = "/work_schedule/overlap_periods"
    fixed_params = _WITH_MEMBERS


class Teams(FactorialStream):
    """Teams."""

    name = "workforce_teams"
    path = "/teams/teams"
    fixed_params = _WITH_MEMBERS
    references = {"parent_team_id": "workforce_teams.id"}


class Memberships(FactorialStream):
    """Who belongs to which team."""

    name = "workforce_memberships"
    path = "/teams/memberships"
    fixed_params = _WITH_MEMBERS
    references = {"employee_id": "workforce_employees.id", "team_id": "workforce_teams.id"}


class Allowances(FactorialStream):
    """Allowances of time off."""

    name = "workforce_allowances"
    path = "/timeoff/allowances"
    references = {"timeoff_policy_id": "workforce_policies.id"}


class BlockedPeriods(FactorialStream):
    """Periods in which time off cannot be asked for."""

    name = "workforce_blocked_periods"
    path = "/timeoff/blocked_periods"


class Leaves(FactorialStream):
    """Time off, deleted leaves included."""

    name = "workforce_leaves"
    path = "/timeoff/leaves"
    replication_key = "updated_at"
    fixed_params = {"include_deleted_leaves": "true"}
    references = {
        "employee_id": "workforce_employees.id",
        "leave_type_id": "workforce_leave_types.id",
    }


class LeaveTypes(FactorialStream):
    """Kinds of time off."""

    name = "workforce_leave_types"
    path = "/timeoff/leave_types"


class Policies(FactorialStream):
    """Policies of time off."""

    name = "workforce_policies"
    path = "/timeoff/policies"


class BreakConfigurations(FactorialStream):
    """Kinds of breaks."""

    name = "workforce_break_configurations"
    path = "/time_settings/break_configurations"


class Categories(FactorialStream):
    """Categories of trainings."""

    name = "workforce_categories"
    path = "/trainings/categories"
    replication_key = "updated_at"


class LegalEntities(FactorialStream):
    """Legal entities of the company."""

    name = "workforce_legal_entities"
    path = "/companies/legal_entities"


class ContractVersions(FactorialStream):
    """Versions of contracts."""

    name = "workforce_contract_versions"
    path = "/contracts/contract_versions"
    replication_key = "updated_at"
    references = {
        "contracts_contract_id": "workforce_contracts.id",
        "employee_id": "workforce_employees.id",
        "job_catalog_level_id": "workforce_job_catalog_levels.id",
    }


class ReferenceContracts(FactorialStream):
    """The contract of each employee that holds today, or else the nearest one.

    It can be another one tomorrow without having changed, so it is read in full.
    """

    name = "workforce_reference_contracts"
    path = "/contracts/reference_contracts"
    references = {
        "contracts_contract_id": "workforce_contracts.id",
        "employee_id": "workforce_employees.id",
        "id": "workforce_contract_versions.id",
        "job_catalog_level_id": "workforce_job_catalog_levels.id",
    }


class Taxonomies(FactorialStream):
    """Taxonomies of contracts."""

    name = "workforce_taxonomies"
    path = "/contracts/taxonomies"
    references = {"legal_entity_id": "workforce_legal_entities.id"}


class Fields(FactorialStream):
    """Custom fields."""

    name = "workforce_fields"
    path = "/custom_fields/fields"
    references = {"legal_entity_id": "workforce_legal_entities.id"}


class FieldsOptions(FactorialStream):
    """Options of custom fields."""

    name = "workforce_fields_options"
    path = "/custom_fields/options"
    references = {"field_id": "workforce_fields.id"}


class FieldsResourceFields(FactorialStream):
    """Where custom fields are used."""

    name = "workforce_fields_resource_fields"
    path = "/custom_fields/resource_fields"
    references = {"field_id": "workforce_fields.id"}


class Employees(FactorialStream):
    """Employees, those who left included.

    Some fields change with the calendar and leave the time alone, so they are read in full.
    """

    name = "workforce_employees"
    path = "/employees/employees"
    fixed_params = {"only_active": "false", "only_managers": "false"}
    child_keys = {"employee_id": "id"}
    references = {
        "default_work_area_id": "workforce_work_areas.id",
        "legal_entity_id": "workforce_legal_entities.id",
        "location_id": "workforce_locations.id",
        "manager_id": "workforce_employees.id",
        "timeoff_manager_id": "workforce_employees.id",
    }


class CostCenters(FactorialStream):
    """Cost centers."""

    name = "workforce_cost_centers"
    path = "/finance/cost_centers"
    references = {"legal_entity_id": "workforce_legal_entities.id"}


class CompanyHolidays(FactorialStream):
    """Public holidays of each location."""

    name = "workforce_company_holidays"
    path = "/holidays/company_holidays"
    references = {"location_id": "workforce_locations.id"}


class Locations(FactorialStream):
    """Workplaces."""

    name = "workforce_locations"
    path = "/locations/locations"


class WorkAreas(FactorialStream):
    """Areas of workplaces, archived ones included."""

    name = "workforce_work_areas"
    path = "/locations/work_areas"
    fixed_params = {"only_non_archived": "false"}
    references = {"location_id": "workforce_locations.id"}


class Shifts(DateWindows, FactorialStream):
    """Planned shifts, a week at a time."""

    name = "workforce_shifts"
    path = "/shift_management/shifts"
    references = {
        "employee_id": "workforce_employees.id",
        "location_id": "workforce_locations.id",
        "locations_work_area_id": "workforce_work_areas.id",
    }


STREAMS = (
    PublicCredentials,
    WebhookSubscriptions,
    Tasks,
    Schedules,
    OverlapPeriods,
    Teams,
    Memberships,
    Allowances,
    BlockedPeriods,
    Leaves,
    LeaveTypes,
    Policies,
    BreakConfigurations,
    Categories,
    LegalEntities,
    ContractVersions,
    ReferenceContracts,
    Taxonomies,
    Fields,
    FieldsOptions,
    FieldsResourceFields,
    Employees,
    CostCenters,
    CompanyHolidays,
    Locations,
    WorkAreas,
    Shifts,
)
