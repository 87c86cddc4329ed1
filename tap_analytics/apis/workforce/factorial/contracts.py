"""Further streams of Factorial: contracts, their history and what they pay."""

from __future__ import annotations

from tap_analytics.apis.workforce.factorial.client import FactorialStream


class Contracts(FactorialStream):
    """Contracts of employees, whose versions are in `workforce_contract_versions`."""

    name = "workforce_contracts"
    path = "/contracts/contracts"
    references = {
        "employee_id": "workforce_employees.id",
        "legal_entity_id": "workforce_legal_entities.id",
    }


class ContractsCompensations(FactorialStream):
    """What is paid beside the salary, by version of a contract."""

    name = "workforce_contracts_compensations"
    path = "/contracts/compensations"
    references = {
        "contract_version_id": "workforce_contract_versions.id",
        "contracts_taxonomy_id": "workforce_taxonomies.id",
    }


class ContractVersionHistories(FactorialStream):
    """Every change of a version of a contract."""

    name = "workforce_contract_version_histories"
    path = "/contracts/contract_version_histories"
    replication_key = "updated_at"
    references = {
        "contracts_contract_version_id": "workforce_contract_versions.id",
        "employee_id": "workforce_employees.id",
        "job_catalog_level_id": "workforce_job_catalog_levels.id",
        "original_contract_version_id": "workforce_contract_versions.id",
    }


STREAMS = (
    Contracts,
    ContractsCompensations,
    ContractVersionHistories,
)
