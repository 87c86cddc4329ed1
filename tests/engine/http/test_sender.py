"""What is asked is what the libraries make of it, and made once where it is the same again."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from singer_sdk.streams.rest import HTTPRequest

from tap_analytics.engine.http import sender

texts = st.text(max_size=5)
values = texts | st.integers() | st.booleans() | st.none() | st.floats() | st.decimals()


class Own(HTTPRequest):
    def encode_params(self) -> str:
        return "own"


@given(st.dictionaries(texts, values | st.lists(values, max_size=3)), st.sampled_from(["", ":,"]))
@example({"a": 1, "b": True}, "")
@example({"a": 1.0}, "")
@example({"a": Decimal(1)}, "")
def test_parameters_are_encoded_as_ever(params: dict[str, Any], safe: str) -> None:
    request = HTTPRequest("http://a", params=params, safe_query_chars=safe)
    assert sender._query(request) == request.encode_params()


class Name(str, Enum):
    PAGE = "page"


@pytest.mark.parametrize(
    "names", [(1, True, 1.0), (False, 0), ("page", Name.PAGE), (Name.PAGE, "page")]
)
def test_names_that_are_equal_may_be_other_texts(names: tuple[Any, ...]) -> None:
    for name in names:
        request = HTTPRequest("http://a", params={name: "equal names"})
        assert sender._query(request) == request.encode_params()


def test_a_request_may_encode_its_parameters_itself() -> None:
    assert sender._query(Own("http://a", params={"a": 1})) == "own"


def test_parameters_may_be_a_text() -> None:
    text: Any = "a=b"
    with pytest.warns(DeprecationWarning, match="safe_query_chars"):
        assert sender._query(HTTPRequest("http://a", params=text)) == "a=b"


urls = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["http://127.0.0.1:80", "https://a.example", "http://[::1]:8", "http://A"]),
        st.lists(
            st.sampled_from(["/", "//", "a", ".", "..", "?", "??", "#", "&b=", ";c", "%2F", "+"])
            | st.characters(max_codepoint=255),
            max_size=6,
        ).map("".join),
    ),
)


@given(urls)
@example("http://a/b?")
@example("http://a/b#c?d")
@example("http://a?b")
@example("http://a/b\n")
def test_the_target_is_that_of_requests(url: str) -> None:
    prepared = requests.PreparedRequest()
    prepared.url = url
    try:
        expected = prepared.path_url
    except ValueError:  # no host
        return
    assert sender._target(prepared) == expected
