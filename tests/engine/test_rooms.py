"""The arrows between the engine's rooms, what they promise, and where that is tested."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from singer_sdk import RESTStream, Tap

from tap_analytics.engine.run.bookmarks import Entry

ROOT = Path(__file__).parents[2]
ROOMS = ("errors, secrets and threads", "values", "output", "http", "pages", "declarations", "run")
"""From the lowest up; each imports from those in front of it."""

Imports = dict[str, set[str]]


def imported(tree: ast.AST, known: set[str]) -> set[str]:
    """Return the modules that a module names in its imports, those for types alone included."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                names.add(whole if whole in known else node.module)
    return names & known


def sources() -> dict[str, ast.AST]:
    found: dict[str, ast.AST] = {}
    for path in (ROOT / "tap_analytics").rglob("*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


SOURCES = sources()
IMPORTS: Imports = {name: imported(tree, set(SOURCES)) for name, tree in SOURCES.items()}


def room(module: str) -> str | None:
    """Return the room of a module; None outside the engine."""
    below = module.removeprefix("tap_analytics.engine").split(".")[1:]
    if not module.startswith("tap_analytics.engine") or not below:
        return None
    if len(below) > 1 or below[0] in ROOMS:
        return below[0]
    return ROOMS[0] if below[0] in ("errors", "secrets", "threads") else "declarations"


def upward(imports: Imports) -> list[str]:
    """Return the imports that lead from a room to one above it."""
    return [
        f"{module} imports {other}"
        for module, others in imports.items()
        for other in others
        if (here := room(module)) and (there := room(other))
        if ROOMS.index(there) > ROOMS.index(here)
    ]


def circle(imports: Imports) -> list[str]:
    """Return modules that import each other in a circle, none if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def outward(imports: Imports) -> list[str]:
    return [
        f"{module} imports {other}"
        for module, others in imports.items()
        for other in others
        if module.startswith("tap_analytics.engine")
        and not other.startswith("tap_analytics.engine")
    ]


def test_every_room_imports_from_those_below_it() -> None:
    assert {room(module) for module in IMPORTS} == {*ROOMS, None}
    assert upward(IMPORTS) == []


@pytest.mark.parametrize(
    ("module", "other"),
    [("values.times", "output.report"), ("errors", "api"), ("stream", "run.run")],
)
def test_an_import_from_a_room_above_is_found(module: str, other: str) -> None:
    wrong = {f"tap_analytics.engine.{module}": {f"tap_analytics.engine.{other}"}}
    assert upward(IMPORTS | wrong) == [
        f"tap_analytics.engine.{module} imports tap_analytics.engine.{other}"
    ]


def test_nothing_imports_in_a_circle() -> None:
    assert circle(IMPORTS) == []


def test_a_circle_is_found() -> None:
    stream, sdk = "tap_analytics.engine.stream", "tap_analytics.engine.sdk"
    assert {stream, sdk} <= set(circle(IMPORTS | {sdk: {stream}}))


def test_the_engine_knows_nothing_above_it() -> None:
    assert outward(IMPORTS) == []


def test_an_import_from_outside_the_engine_is_found() -> None:
    wrong: Imports = {"tap_analytics.engine.api": {"tap_analytics.apis"}}
    assert outward(wrong) == ["tap_analytics.engine.api imports tap_analytics.apis"]


def test_imports_for_types_alone_count() -> None:
    tree = ast.parse("if TYPE_CHECKING:\n    from tap_analytics.engine import stream")
    assert imported(tree, set(SOURCES)) == {"tap_analytics.engine.stream"}


def private_names() -> set[str]:
    """Return the private names of the SDK's streams and taps, those of instances included."""
    own = {name for kind in (RESTStream, Tap) for name in dir(kind)}
    for kind in {*RESTStream.__mro__, *Tap.__mro__}:
        if kind.__module__.startswith("singer_sdk"):
            made = getattr(vars(kind).get("__init__"), "__code__", None)
            own.update(made.co_names if made else ())
    return {name for name in own if re.match(r"_[a-z]", name)} - {"_abc_impl"}


def private_uses(tree: ast.AST) -> set[str]:
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return used & private_names()


def test_private_names_of_the_sdk_are_in_one_place() -> None:
    streams = {name for name in SOURCES if room(name) == "declarations"}
    streams |= {"tap_analytics.base", "tap_analytics.tap"}
    found = {name: uses for name in streams if (uses := private_uses(SOURCES[name]))}
    assert set(found) == {"tap_analytics.engine.sdk"}, found


def test_a_private_name_elsewhere_is_found() -> None:
    assert private_uses(ast.parse("self._tap.x")) == {"_tap"}
    assert private_uses(ast.parse("def _sync_records(self): ...")) == {"_sync_records"}


PROMISES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "tap_analytics/engine/INVARIANTS.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and "`" in line
]


def lost(where: str, test: str) -> list[str]:
    """Return what of a promise leads nowhere."""
    path, _, name = test.strip("`").partition("::")
    file, source = ROOT / path, ROOT / where.strip("`")
    has_test = file.is_file() and f"def {name}(" in file.read_text(encoding="utf-8")
    return [] if has_test and source.is_file() else [where, test]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[0])
def test_every_promise_is_kept_somewhere_and_tested(promise: list[str]) -> None:
    _, where, test = promise
    assert lost(where, test) == []


def test_a_promise_that_leads_nowhere_is_found() -> None:
    assert len(PROMISES) > 20
    here = "`tests/engine/test_rooms.py::test_that_is_not_there`"
    assert lost("`tap_analytics/engine/api.py`", here)
    assert lost("`tap_analytics/engine/nothing.py`", here.replace("that_is_not", "a_circle_is"))


def test_all_that_is_written_to_the_state_is_explained() -> None:
    run = [tree for name, tree in SOURCES.items() if room(name) == "run"]
    calls = [node for tree in run for node in ast.walk(tree) if isinstance(node, ast.Call)]
    written = {
        keyword.arg
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "write"
        for keyword in call.keywords
        if keyword.arg
    } - {"last"}
    assert {"covers", "rows"} <= written
    explained = set(re.findall(r"``(\w+)``", str(Entry.__doc__)))
    assert written | {"accounts"} == explained - {"bookmarks"}
