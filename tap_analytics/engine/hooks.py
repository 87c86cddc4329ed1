"""The SDK's hooks that nothing here calls, each with what does its work."""

from __future__ import annotations

_INSTEAD = {
    "a page is asked for by `get_http_request`, of which `get_url`, `get_url_params`, "
    "`http_headers`, `prepare_request_payload` and `authenticator` are parts": (
        "build_prepared_request",
        "prepare_request",
    ),
    "pages of many lists are fetched at the same time by the engine; a page's records are found "
    "by `records_jsonpath`, `unwrap` or `parse_response`": (
        "get_records",
        "request_records",
        "requests_session",
    ),
    "redirects are followed on the same host, and never to another one": ("allow_redirects",),
    "the settings 'request_timeout', 'max_retries' and 'backoff_factor' and the API's `policy` "
    "(RetryPolicy) say how long to wait and how often to try; `validate_response` and "
    "`extra_retry_statuses` say after what": (
        "backoff_handler",
        "backoff_jitter",
        "backoff_max_tries",
        "backoff_runtime",
        "backoff_wait_generator",
        "request_decorator",
        "timeout",
    ),
    "the next page is what `paginator_class` tells: NextToken, NextLink, LinkHeader, PageNumbers, "
    "Offsets, or one of your own, from `get_new_paginator`": ("next_page_token_jsonpath",),
    "requests, retries, waits and records are counted in the report": (
        "calculate_sync_cost",
        "get_batch_counter",
        "get_http_request_counter",
        "get_sync_timer",
        "log_sync_costs",
        "update_sync_costs",
    ),
    "bookmarks are the engine's, one a stream: `replication_key` and `cursor` say by what, "
    "`lookback_days` from where on, and `slices` splits a stream into lists that are asked for "
    "one by one": (
        "STATE_MSG_FREQUENCY",
        "compare_start_date",
        "finalize_state_progress_markers",
        "get_context_state",
        "get_replication_key_signpost",
        "get_starting_replication_key_value",
        "get_starting_timestamp",
        "is_timestamp_replication_key",
        "partitions",
        "state_manager",
        "state_partitioning_keys",
        "stream_state",
        "tap_state",
    ),
    "rows are put in order by `replication_key` and key, whatever order they come in": (
        "check_sorted",
        "is_sorted",
    ),
    "a row leads to one list of each child, the one that `get_child_context` tells": (
        "generate_child_contexts",
    ),
    "the schema file says what fits, and what does not is converted without loss or reported": (
        "TYPE_CONFORMANCE_LEVEL",
    ),
    "`schema` names the folder: KeyedSchema(folder)": ("schema_filepath",),
    "there are no BATCH messages; RECORDs are written as fast": (
        "get_batch_config",
        "get_batches",
        "get_record_batches",
    ),
    "the order of messages is the engine's; `append_only` keeps a stream from ACTIVATE_VERSION": (
        "emit_activate_version_messages",
        "sync",
    ),
    "`forced_replication_method` sets it where the user's catalog must not": (
        "replication_method",
    ),
    "it follows from the user's settings, catalog and state, which nothing may contradict": (
        "ABORT_AT_RECORD_COUNT",
        "config",
        "descendent_streams",
        "effective_schema",
        "has_selected_descendents",
        "mask",
        "metadata",
        "selected",
        "stream_maps",
        "tap_stream_id",
    ),
    "users find a stream's words by the logger's name; write to `self.logger`": ("log", "logger"),
}
UNCALLED = {name: instead for instead, names in _INSTEAD.items() for name in names}
"""Public names of the SDK's streams that a stream must not define, and what to do instead."""


def refuse_uncalled(kind: type, base: type) -> None:
    """Make sure that a class defines nothing that would never be called.

    Args:
        kind: The class.
        base: The engine's base, above which every name is the SDK's or the engine's own.

    Raises:
        TypeError: If it or a class it inherits from does.
    """
    for part in kind.__mro__[: kind.__mro__.index(base)]:
        for name in vars(part).keys() & UNCALLED.keys():
            msg = f"{part.__qualname__}.{name} would never be called: {UNCALLED[name]}"
            raise TypeError(msg)
