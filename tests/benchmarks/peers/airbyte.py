"""The work as a manifest for the Airbyte CDK's own runner, `source-declarative-manifest`."""

from __future__ import annotations

from typing import Any

# Jinja leaves slashes as they are.
_SEGMENT = "{{{{ stream_partition['{field}'] | urlencode | replace('/', '%2F') }}}}"
_PARENT_FIELD = "parent_id"


def manifest(job: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest that reads every list of a job (see `Work.job`)."""
    streams: dict[str, dict[str, Any]] = {}
    for endpoint in job["endpoints"]:
        streams[endpoint["name"]] = _stream(endpoint, streams.get(endpoint["parent"]))
    return {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [next(iter(streams))]},
        "streams": list(streams.values()),
        "spec": {
            "type": "Spec",
            "connection_specification": {"type": "object", "properties": {}},
        },
    }


def catalog(job: dict[str, Any]) -> dict[str, Any]:
    """Return the configured catalog that selects them all."""
    return {
        "streams": [
            {
                "stream": {
                    "name": endpoint["name"],
                    "json_schema": {},
                    "supported_sync_modes": ["full_refresh"],
                },
                "sync_mode": "full_refresh",
                "destination_sync_mode": "append",
            }
            for endpoint in job["endpoints"]
        ]
    }


def _option(into: str, field: str) -> dict[str, str]:
    return {"type": "RequestOption", "inject_into": into, "field_name": field}


def _stream(endpoint: dict[str, Any], parent: dict[str, Any] | None) -> dict[str, Any]:
    path = endpoint["path"]
    retriever: dict[str, Any] = {
        "type": "SimpleRetriever",
        "record_selector": {
            "type": "RecordSelector",
            "extractor": {"type": "DpathExtractor", "field_path": [endpoint["records"]]},
        },
        "paginator": {
            "type": "DefaultPaginator",
            "page_token_option": _option("request_parameter", "page"),
            "page_size_option": _option("request_parameter", endpoint["size_param"]),
            "pagination_strategy": {
                "type": "PageIncrement",
                "page_size": endpoint["page_size"],
                "start_from_page": 1,
                "inject_on_first_request": True,
            },
        },
    }
    if parent:
        path = path.replace(endpoint["placeholder"], _SEGMENT.format(field=_PARENT_FIELD))
        router = {"type": "ParentStreamConfig", "stream": parent, "parent_key": "id"}
        retriever["partition_router"] = {
            "type": "SubstreamPartitionRouter",
            "parent_stream_configs": [{**router, "partition_field": _PARENT_FIELD}],
        }
    retriever["requester"] = {
        "type": "HttpRequester",
        "url_base": "{{ config['base_url'] }}",
        "path": path,
        "http_method": "GET",
        "authenticator": {
            "type": "ApiKeyAuthenticator",
            "api_token": "{{ config['api_key'] }}",
            "inject_into": _option("header", "api_key"),
        },
    }
    return {
        "type": "DeclarativeStream",
        "name": endpoint["name"],
        "primary_key": ["id"],
        "retriever": retriever,
        "schema_loader": {
            "type": "InlineSchemaLoader",
            "schema": {"type": "object", "additionalProperties": True, "properties": {}},
        },
    }
