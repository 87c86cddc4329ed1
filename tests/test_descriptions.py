"""What columns say of themselves: all that their names do not, and no more.

The words of a column stand in its schema file; which stream's key it holds is said by the stream's
`references`, and comes in front of them.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tap_analytics.apis import PACKAGES
from tap_analytics.engine.registry import references
from tests.test_catalog import APIS, parts, schema_of, variants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_analytics.engine.registry import ApiPackage

LONGEST = 120
"""Characters of a description, without the values that it lists and what it points to."""
WORDS = re.compile(r"IDs?(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
LISTED = re.compile(r"(, |,? or |,? and )?`[^`]*`")
FILLERS = {"a", "an", "the", "of", "this", "that", "its", "is", "was", "in", "for", "on", "which"}
KEYS = {"id", "ids", "uuid", "uuids"}
MOMENTS = {"at", "on", "date", "time", "day"}
KINDS = {
    "status",
    "state",
    "type",
    "kind",
    "mode",
    "method",
    "role",
    "frequency",
    "period",
    "visibility",
}
MONEY = {
    "amount",
    "cents",
    "cost",
    "costs",
    "price",
    "rate",
    "salary",
    "value",
    "budget",
    "discount",
}
COUNTS = {
    "count",
    "counts",
    "number",
    "total",
    "position",
    "order",
    "index",
    "version",
    "year",
    "month",
    "age",
    "hours",
    "minutes",
    "seconds",
    "days",
    "weeks",
    "months",
    "years",
    "bytes",
    "percent",
    "percentage",
    "width",
    "height",
}
UNITS = re.compile(
    r"\b(seconds?|minutes?|hours?|days?|weeks?|months?|years?|milliseconds?|cents?|currency|bytes?"
    r"|percent|shares?|fraction|hundredths?|meters?|degrees?|units?|numbers?|how (many|often|much)"
    r"|place|version|price|points?|keys?|from \d|not documented|1970|probability|ratio|value"
    r"|pixels?|decimals?|digits?|size|average|levels?|score|multiples?|midnight)\b|`",
    re.IGNORECASE,
)
"""Words that tell what a number counts or measures."""


class Column(NamedTuple):
    """A column as a rule sees it.

    Attributes:
        name: Its name.
        types: Its JSON types, null left out.
        schema: Its whole schema.
        said: Its description, "" without one.
        points: What it points to, "" if to nothing.
    """

    name: str
    types: set[str]
    schema: dict[str, Any]
    said: str
    points: str

    @property
    def words(self) -> list[str]:
        """The words of its name."""
        return [word.lower() for word in WORDS.findall(self.name)]

    @property
    def is_text(self) -> bool:
        """Whether it is any text: no date, no time, no JSON."""
        return self.types == {"string"} and not {"format", "contentMediaType"} & set(self.schema)

    @property
    def is_number(self) -> bool:
        """Whether it is a number that could be of anything."""
        return bool(self.types & {"integer", "number"})


def columns(stream: Any) -> Iterator[Column]:
    """Yield the columns of a stream."""
    points = references(stream)
    for name, schema in schema_of(stream)["properties"].items():
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        said = schema.get("description", "")
        yield Column(name, set(types) - {"null"}, schema, said, points.get(name, ""))


def key_of_something(column: Column) -> bool:
    """Keys of other rows say whose: by `references`, or in words where no stream has them."""
    return column.name != "id" and column.words[-1] in KEYS


def number(column: Column) -> bool:
    """Numbers say their unit, unless they are keys or their name has it."""
    return (
        column.is_number
        and not (set(column.words) & KEYS)
        and (not set(column.words) & COUNTS or bool(set(column.words) & MONEY))
    )


def kind(column: Column) -> bool:
    """Kinds and states say their values, or that these are not known."""
    return column.is_text and column.words[-1] in KINDS


def moment(column: Column) -> bool:
    """Texts that are named like times say what they look like."""
    return column.is_text and len(column.words) > 1 and column.words[-1] in MOMENTS


RULES: dict[Callable[[Column], bool], Callable[[str], Any]] = {
    key_of_something: bool,
    number: UNITS.search,
    kind: re.compile("`|[Nn]ot documented").search,
    moment: bool,
}
"""Which columns need words, and what these have to have."""


@pytest.mark.parametrize(
    ("name", "types", "bad", "good"),
    [
        ("employee_id", ["string"], "", "Key of `workforce_employees`."),
        ("ruleIDs", ["array"], "", "Keys of rules."),
        ("amount", ["integer"], "What is paid.", "Cents of `currency`."),
        ("amount_in_cents", ["integer"], "", "Hundredths of `currency`."),
        ("accuracy", ["number"], "How good it is.", "Meters."),
        ("leaveStatus", ["string"], "Where it stands.", "One of `open`, `closed`."),
        ("type", ["string"], "What it is.", "Values are not documented."),
        ("starts_at", ["string"], "", "Time of day."),
    ],
)
def test_what_a_name_leaves_open_is_missed(
    name: str, types: list[str], bad: str, good: str
) -> None:
    def missed(said: str) -> int:
        column = Column(name, set(types), {"type": types}, said, "")
        return sum(rule(column) and not has(said) for rule, has in RULES.items())

    assert (missed(bad), missed(good)) == (1, 0)


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("id", ["integer"]),
        ("name", ["string"]),
        ("member_count", ["integer"]),
        ("expires_in_days", ["integer"]),
        ("approved", ["boolean"]),
    ],
)
def test_what_a_name_says_needs_no_words(name: str, types: list[str]) -> None:
    column = Column(name, set(types), {"type": types}, "", "")
    assert not [rule for rule in RULES if rule(column)]


def every_stream(package: ApiPackage) -> list[Any]:
    return list(dict.fromkeys(stream for streams in variants(package) for stream in streams))


@pytest.mark.parametrize(
    ("stream", "column", "begin"),
    [
        ("workforce_leaves", "employee_id", "Key of `workforce_employees`."),
        ("status_page_component_uptimes", "page_id", "Key of `pages`."),
        ("esignature_document_group_invites", "document_group_id", "`group_id` of `esignature_"),
    ],
)
def test_what_a_column_points_to_is_said_first(stream: str, column: str, begin: str) -> None:
    every = (found for package in PACKAGES for found in every_stream(package))
    (found,) = (one for one in every if one.name == stream)
    assert schema_of(found)["properties"][column]["description"].startswith(begin)


def undescribed(package: ApiPackage) -> Iterator[str]:
    """Yield the columns of an API that leave open what they have to say."""
    for stream in every_stream(package):
        for column in columns(stream):
            for rule, has in RULES.items():
                if rule(column) and not has(column.said):
                    yield f"{stream.name}.{column.name}: {rule.__doc__} It says: {column.said!r}"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.api.name)
def test_columns_say_what_their_names_do_not(package: ApiPackage) -> None:
    missing = list(undescribed(package))
    assert missing == []


def faults(name: str, said: str, begin: str, streams: set[str]) -> Iterator[str]:
    """Yield what is wrong with a description, of which the beginning comes from references."""
    own = said.removeprefix(begin).strip()
    prose = LISTED.sub("", own)
    if len(prose) > LONGEST:
        yield f"longer than {LONGEST} characters"
    if not said.endswith("."):
        yield "no full stop at its end"
    if not said[0].isupper() and said[0] not in "`1234567890":
        yield "no capital at its beginning"
    if said != " ".join(said.split()):
        yield "blanks that are too many"
    words = {word.lower() for word in WORDS.findall(own)} - FILLERS
    if own and words <= {word.lower() for word in WORDS.findall(name)}:
        yield "says the name again"
    if begin and own.startswith(("Key of", "Keys of")):
        yield "says again what `references` say"
    for many, pointed in re.findall(r"(Keys?) of `([^`]*)`", own):
        if pointed not in streams:
            yield f"there is no stream {pointed}"
        elif many == "Key":
            yield "points to a stream: declare it in `references` and leave it out here"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.api.name)
def test_descriptions_are_short_sentences(package: ApiPackage) -> None:
    streams = {str(stream.name) for stream in every_stream(package)}
    found = []
    for stream in every_stream(package):
        points = references(stream)
        for path, schema in parts(schema_of(stream)):
            if "description" in schema:
                name = path.rpartition(".")[2]
                said = schema["description"]
                begin = said.partition(".")[0] + "." if points.get(path[2:]) else ""
                found += [
                    f"{stream.name}{path[1:]}: {fault}: {said!r}"
                    for fault in faults(name, said, begin, streams)
                ]
    assert found == []


def test_what_a_vendor_s_file_leaves_out_is_as_documented() -> None:
    again = []
    for own in APIS.glob("*/*/schemas/*.json"):
        documented = json.loads((own.parents[2] / "schemas" / own.name).read_text("utf-8"))
        for name, schema in json.loads(own.read_text("utf-8"))["properties"].items():
            said = documented["properties"].get(name, {}).get("description")
            if said and schema.get("description") == said:
                again.append(f"{own.relative_to(APIS)}: {name}")
    assert again == []
    streams: tuple[Any, ...] = PACKAGES[0].upstreams["factorial"].streams
    factorial = {one.name: schema_of(one)["properties"] for one in streams}
    assert factorial["tasks"]["completed_by_id"]["description"]
    period = factorial["schedules"]["periods"]["items"]["properties"]
    assert period["end_day"]["description"]


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("Cents of `currency`.", ""),
        ("Key of `teams`. Null at the top.", ""),
        ("One of " + ", ".join(f"`value_{i}`" for i in range(50)) + ".", ""),
        ("Key of `teams`. Keys of teams.", "says again what `references` say"),
        ("Keys of `groups`.", "there is no stream groups"),
        ("Key of the `teams`. Key of `teams`.", "points to a stream"),
        ("The team.", "says the name again"),
        ("Cents", "no full stop"),
        ("cents.", "no capital"),
        ("Cents  of it.", "blanks"),
        ("Cents" + " and more" * 20 + ".", "longer than"),
    ],
)
def test_faults_are_seen(said: str, fault: str) -> None:
    begin = "Key of `teams`." if said.startswith("Key of `teams`.") else ""
    found = list(faults("team_id", said, begin, {"teams"}))
    assert [text.partition(fault)[0] for text in found] == ([""] if fault else [])
