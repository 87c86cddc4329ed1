"""Every public hook of the SDK's streams is called, or defining it is an error that helps."""

from __future__ import annotations

import csv
import inspect
import io
import json
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from singer_sdk import RESTStream
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError
from singer_sdk.pagination import SinglePagePaginator

from tap_analytics.apis.workforce.client import WorkforceStream
from tap_analytics.engine.hooks import UNCALLED
from tap_analytics.engine.pages.pagination import SinglePage
from tap_analytics.engine.schemas import KeyedSchema
from tap_analytics.engine.stream import AnalyticsStream
from tap_analytics.execution import execute
from tap_analytics.tap import TapAnalytics
from tests.engine.doubles import Reply, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import requests

DECLARED = {
    "extra_retry_statuses",
    "ignore_parent_replication_key",
    "parent_stream_type",
    "payload_as_json",
    "primary_keys",
    "records_jsonpath",
    "replication_key",
    "schema",
    "selected_by_default",
    "url_base",
    "user_agent",
}
CALLED = DECLARED | {
    "apply_catalog",
    "authenticator",
    "get_child_context",
    "get_http_request",
    "get_new_paginator",
    "get_record_counter",
    "get_url",
    "get_url_params",
    "http_headers",
    "http_method",
    "parse_response",
    "post_process",
    "prepare_request_payload",
    "preprocess_context",
    "response_error_message",
    "validate_response",
}


LATER = {"get_record_batches"}
"""What only 0.55 has."""


def hooks(kind: type) -> set[str]:
    """Return the public names of the SDK's in a class."""
    return {
        name
        for part in kind.__mro__
        if part.__module__.partition(".")[0] not in ("abc", "builtins", "typing")
        for name in vars(part)
        if not name.startswith("_")
    }


def undecided(kind: type) -> set[str]:
    return hooks(kind) - CALLED - UNCALLED.keys()


def test_every_hook_of_the_sdk_has_a_decision() -> None:
    assert undecided(RESTStream) == set()
    assert CALLED | UNCALLED.keys() <= hooks(RESTStream) | LATER
    assert CALLED & UNCALLED.keys() == set()


def test_a_hook_that_the_sdk_adds_has_none() -> None:
    class Later(RESTStream[int]):
        def get_everything_at_once(self) -> None:
            """Be new."""

    assert undecided(Later) == {"get_everything_at_once"}


@pytest.mark.parametrize("hook", sorted(UNCALLED))
def test_defining_a_hook_that_is_not_called_says_what_to_do(hook: str) -> None:
    with pytest.raises(TypeError) as error:
        type("Mine", (AnalyticsStream,), {hook: getattr(RESTStream, hook, None)})
    assert str(error.value) == f"Mine.{hook} would never be called: {UNCALLED[hook]}"


@pytest.mark.parametrize("hook", ["get_records", "timeout"])
def test_a_mixin_cannot_bring_it_either(hook: str) -> None:
    class Mixin:
        pass

    setattr(Mixin, hook, None)
    with pytest.raises(TypeError, match=f"Mixin.{hook} would never be called"):
        type("Mine", (Mixin, WorkforceStream), {})


@pytest.mark.parametrize("hook", sorted(CALLED))
def test_hooks_that_are_called_may_be_defined(hook: str) -> None:
    kind = type("Mine", (AnalyticsStream,), {hook: None})
    assert hook in vars(kind)


FIELDS: Any = {
    "properties": {name: {"type": ["string", "null"]} for name in ("id", "thing_id", "at", "x")}
}


class Watched:
    """Whether a hook is used, by class or by instance; it does what its base does."""

    def __init__(self, name: str, seen: set[str]) -> None:
        self._name = name
        self._seen = seen

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner

    def __get__(self, stream: Any, kind: type) -> Any:
        found = getattr(super(self._owner, kind if stream is None else stream), self._name)
        if not inspect.ismethod(found):
            self._seen.add(self._name)
            return found

        def call(*given: Any, **named: Any) -> Any:
            self._seen.add(self._name)
            return found(*given, **named)

        return call


class Things(WorkforceStream):
    """Asked for with a body, and with children."""

    name = "things"
    path = "/things"
    schema = FIELDS
    replication_key = "at"
    http_method = "POST"
    child_keys: ClassVar[dict[str, str]] = {"thing_id": "id"}
    paginator_class = SinglePage

    def prepare_request_payload(self, context: Any, next_page_token: Any) -> Any:
        return {"context": context, "page": next_page_token}


class Parts(Things):
    name = "parts"
    path = "/things/{thing_id}/parts"
    primary_keys = ("thing_id", "id")
    schema = FIELDS
    parent_stream_type = Things


def body(*rows: dict[str, Any], **more: Any) -> Reply:
    return Reply(body=json.dumps({"data": rows, **more}).encode())


class Run:
    """What became of a run of some streams over some replies."""

    def __init__(
        self, *streams: Callable[[Any], Any], replies: Iterable[Reply], **config: Any
    ) -> None:
        class Tap(TapAnalytics):
            def discover_streams(self) -> list[Any]:
                return [stream(self) for stream in streams]

        with Server(*replies).running() as server:
            given = {
                "workforce_api_key": "a-key",
                "workforce_base_url": server.url,
                "backoff_factor": 0.01,
                "max_concurrency": 1,
                **config,
            }
            catalog = Tap(config=given).catalog_dict
            tap = Tap(config=given, catalog=catalog)
            out = io.BytesIO()
            tap.message_writer.write = out.write  # type: ignore[assignment, method-assign]
            self.status = execute(tap)
        self.asked = server.asked
        self.lines = [json.loads(line) for line in out.getvalue().splitlines()]
        self.records = [line["record"] for line in self.lines if line["type"] == "RECORD"]


def test_every_other_hook_is_called() -> None:
    seen: set[str] = set()

    def watched(kind: type) -> Any:
        return type(kind.__name__, (kind,), {name: Watched(name, seen) for name in CALLED})

    things = watched(Things)
    parts = watched(type("Parts", (Parts,), {"parent_stream_type": things}))
    replies = [Reply(503), body({"id": "a", "at": "2026-01-01"}), body({"id": "b"})]
    run = Run(things, parts, replies=replies)
    assert run.status == 0
    assert run.records == [{"id": "a", "at": "2026-01-01"}, {"id": "b", "thing_id": "a"}]
    assert seen == CALLED


def test_a_payload_is_sent_as_json() -> None:
    (asked,) = Run(Things, replies=[body()]).asked
    assert (asked.method, asked.headers["Content-Type"]) == ("POST", "application/json")
    assert json.loads(asked.body) == {"context": None, "page": 1}


def test_a_payload_is_sent_as_a_form_or_as_it_is() -> None:
    class Form(Things):
        payload_as_json = False

        def prepare_request_payload(self, context: Any, next_page_token: Any) -> Any:  # noqa: ARG002
            return {"a b": "ä&"}

    class Text(Form):
        def prepare_request_payload(self, context: Any, next_page_token: Any) -> Any:  # noqa: ARG002
            return "<all/>"

    run = Run(Form, replies=[body()])
    assert run.asked[0].headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert run.asked[0].body == b"a+b=%C3%A4%26"
    assert Run(Text, replies=[body()]).asked[0].body == b"<all/>"


def test_parse_response_may_find_records_where_it_likes() -> None:
    class Mine(Things):
        def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
            for row in response.json(parse_float=str)["inner"]["things"]:
                yield {**row, "x": response.headers["X-More"]}

    reply = Reply(body=b'{"inner":{"things":[{"id":"a"},{"id":"b"}]}}', headers={"X-More": "m"})
    run = Run(Mine, replies=[reply])
    assert run.records == [{"id": "a", "x": "m"}, {"id": "b", "x": "m"}]


def test_parse_response_may_read_what_is_no_json() -> None:
    class Mine(Things):
        def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
            yield from csv.DictReader(io.StringIO(response.text))

    reply = Reply(body="id,x\na,ä\n".encode(), headers={"Content-Type": "text/csv;charset=utf-8"})
    assert Run(Mine, replies=[reply]).records == [{"id": "a", "x": "ä"}]


def test_parse_response_may_go_on_from_what_it_replaces() -> None:
    class Mine(Things):
        def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
            return ({**row, "x": "more"} for row in super().parse_response(response))

    assert Run(Mine, replies=[body({"id": "a"})]).records == [{"id": "a", "x": "more"}]


def test_validate_response_decides_what_is_tried_again() -> None:
    class Mine(Things):
        def validate_response(self, response: requests.Response) -> None:
            super().validate_response(response)
            if not response.json().get("ready", True):
                message = "the export is not ready"
                raise RetriableAPIError(message, response)

    run = Run(Mine, replies=[body(ready=False), body({"id": "a"})])
    assert (run.status, len(run.asked), len(run.records)) == (0, 2, 1)


def test_validate_response_decides_what_is_wrong_for_good(caplog: pytest.LogCaptureFixture) -> None:
    class Mine(Things):
        def validate_response(self, response: requests.Response) -> None:
            if response.status_code == 503:
                raise FatalAPIError(self.response_error_message(response))

        def response_error_message(self, response: requests.Response) -> str:
            return f"the house is closed ({response.status_code} {response.reason})"

    run = Run(Mine, replies=[Reply(503, b"{}")])
    assert (run.status, len(run.asked)) == (1, 1)
    assert "POST /things the house is closed (503 Service Unavailable)" in caplog.text


def test_validate_response_may_let_a_bad_status_pass() -> None:
    class Mine(Things):
        def validate_response(self, response: requests.Response) -> None:
            if response.status_code != 404:
                super().validate_response(response)

        def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
            return [] if response.status_code == 404 else super().parse_response(response)

    run = Run(Mine, replies=[Reply(404, b"{}")])
    assert (run.status, run.records) == (0, [])


def test_statuses_of_its_own_are_tried_again() -> None:
    class Mine(Things):
        extra_retry_statuses = (418,)

    assert Run(Mine, replies=[Reply(418), body()]).status == 0
    assert Run(Things, replies=[Reply(418), body()]).status == 1


def test_an_authenticator_of_its_own_takes_the_place_of_the_apis() -> None:
    class Mine(Things):
        @property
        def authenticator(self) -> Any:
            return BearerTokenAuthenticator(token=f"made-of-{self.config['workforce_api_key']}")

    (asked,) = Run(Mine, replies=[body()]).asked
    assert asked.headers["Authorization"] == "Bearer made-of-a-key"
    assert "api_key" not in asked.headers


def test_headers_may_be_added() -> None:
    class Mine(Things):
        @property
        def http_headers(self) -> dict[str, str]:
            headers = super().http_headers
            headers["X-Mine"] = "yes"
            return headers

    (asked,) = Run(Mine, replies=[body()]).asked
    assert (asked.headers["X-Mine"], asked.headers["api_key"]) == ("yes", "a-key")


def test_what_depends_on_the_settings_does_so_for_every_account(tmp_path: Path) -> None:
    (tmp_path / "things.json").write_text(json.dumps(FIELDS), encoding="utf-8")

    class Mine(Things):
        schema = KeyedSchema(tmp_path)

        @property
        def url_base(self) -> str:
            return super().url_base + "/v9"

    accounts = [{"name": name, "workforce_api_key": f"key-{name}"} for name in ("one", "two")]
    with Server(body({"id": "a"})).running() as other:
        accounts[1]["workforce_base_url"] = other.url
        run = Run(Mine, replies=[body({"id": "a"})], accounts=accounts)
    for (asked,), name in ((run.asked, "one"), (other.asked, "two")):
        assert (asked.path, asked.headers["api_key"]) == ("/v9/things", f"key-{name}")


def test_a_paginator_made_for_the_sdk_alone_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    class Mine(Things):
        def get_new_paginator(self) -> Any:
            return SinglePagePaginator()

    class Other(Things):
        name = "others"

    run = Run(Mine, Other, replies=[body({"id": "a"})])
    assert (run.status, run.records) == (1, [{"id": "a"}])
    assert (
        "get_new_paginator returned a SinglePagePaginator: it has to be a Paginator" in caplog.text
    )
