"""Every target, with few rows; `python -m tests.targets` does it with many and writes the table."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.environments import installed
from tests.targets.comparing import outcome
from tests.targets.scenario import AWKWARD, CHANGED, DELETED_FROM, Scenario, make
from tests.targets.targets import TARGETS, MeltanoLabsPostgres

if TYPE_CHECKING:
    from typing import Any

    from tests.targets.targets import Target

pytestmark = pytest.mark.slow

RESULTS = Path(__file__).with_name("results.md").read_text(encoding="utf-8")


FAMILY = ("dynamic_configs", "dynamic_configs_versions", "dynamic_configs_rules")


class InSmallBatches(MeltanoLabsPostgres):
    """The target of `meltano.yml`, fewer rows at a time, as README offers it."""

    def config(self) -> dict[str, Any]:
        return super().config() | {"batch_size_rows": 4}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return make(len(AWKWARD) + 2)


@pytest.mark.parametrize("kind", TARGETS, ids=lambda kind: kind.__name__)
def test_every_row_arrives_as_the_table_says(
    kind: type[Target], scenario: Scenario, tmp_path: Path
) -> None:
    if not kind.is_installable():
        pytest.skip("it has no release for this Python")
    with kind.opened(tmp_path) as target:
        seen = outcome(target, scenario)
    assert seen.error == ""
    assert seen.missing == {}
    (line,) = [line for line in RESULTS.splitlines() if line.startswith(f"| {kind.name} |")]
    _, _, rows, values, *others, _ = (cell.strip() for cell in line.split("|"))
    assert set(seen.differences) <= set(values.split("; ")), seen.examples
    assert (rows, *others) == (seen.cells()[0], *seen.cells()[2:])


def test_rows_that_come_in_small_batches_are_the_same(scenario: Scenario, tmp_path: Path) -> None:
    streams = (CHANGED, DELETED_FROM, *FAMILY)
    few = Scenario(scenario.first.only(streams), scenario.second.only(streams))
    assert all(len(few.second.rows[stream]) > 8 for stream in streams)
    with InSmallBatches.opened(tmp_path) as target:
        seen = outcome(target, few)
    assert seen.cells() == ("all", "equal", "updated", "kept", "added", "deleted"), seen


@pytest.mark.parametrize("which", ["first", "second"])
def test_singer_check_tap_finds_nothing(which: str, scenario: Scenario) -> None:
    program = str(installed("singer-tools==0.4.1") / "singer-check-tap")
    messages = getattr(scenario, which).text
    ran = subprocess.run(  # noqa: S603
        [program], input=messages, capture_output=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr.decode()[-3000:] + ran.stdout.decode()[-3000:]
