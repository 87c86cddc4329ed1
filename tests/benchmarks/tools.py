"""Ours and the others: how each is told its work and run."""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tests.benchmarks.environments import python_with, versions
from tests.benchmarks.peers import airbyte
from tests.helpers.support import ROOT, catalog

if TYPE_CHECKING:
    from typing import Any

    from tests.benchmarks.work import Work

_PEERS = Path(__file__).parent / "peers"


class Tool(ABC):
    """A program that reads lists.

    Attributes:
        name: What one calls it on the command line.
        label: What the results call it.
        requirements: The packages it needs, in an environment of its own.
        shown: Packages whose versions the results name.
        env: Further environment of the program.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    requirements: ClassVar[tuple[str, ...]] = ()
    shown: ClassVar[tuple[str, ...]] = ()
    env: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        """Prepare the tool; raises FailedError if its environment cannot be made."""
        self.python = Path(sys.executable)
        if self.requirements:
            self.python = python_with(self.name, self.requirements)

    def versions(self) -> dict[str, str]:
        """Return the versions of its packages."""
        return versions(self.python, self.shown)

    @abstractmethod
    def command(self, work: Work, config: dict[str, Any], folder: Path) -> list[str]:
        """Return the command that does the work, with the files it needs put in a folder.

        Args:
            work: The work.
            config: The tap's settings for the server.
            folder: An empty folder.
        """


class Ours(Tool):
    """This tap."""

    name = "tap"
    label = "tap-analytics"
    shown = ("singer-sdk", "requests", "msgspec")
    env: ClassVar[dict[str, str]] = {"PYTHONPATH": str(ROOT)}

    def command(self, work: Work, config: dict[str, Any], folder: Path) -> list[str]:
        """See `Tool`."""
        settings = {**config, f"{work.api}_page_size": work.page_size}
        if work.concurrency:
            settings["max_concurrency"] = work.concurrency
        files = {
            "config": _written(folder, "config", settings),
            "catalog": _written(folder, "catalog", catalog(*work.names)),
        }
        if work.state:
            files["state"] = str(work.state)
        arguments = [part for name, path in files.items() for part in (f"--{name}", path)]
        return [str(self.python), "-m", "tap_analytics", *arguments]


class PlainSdk(Tool):
    """A tap written plainly with the SDK."""

    name = "plain-sdk"
    label = "plain SDK tap"
    requirements = (f"singer-sdk=={version('singer-sdk')}",)
    shown = ("singer-sdk", "requests")

    def command(self, work: Work, config: dict[str, Any], folder: Path) -> list[str]:
        """See `Tool`."""
        settings = {
            "base_url": config[f"{work.api}_base_url"],
            "api_key": config[f"{work.api}_api_key"],
            "page_size": work.page_size,
            "streams": list(work.names),
        }
        path = _written(folder, "config", settings)
        return [str(self.python), str(_PEERS / "plain_sdk.py"), "--config", path]


class Dlt(Tool):
    """dlt, which extracts only."""

    name = "dlt"
    label = "dlt (extract)"
    requirements = ("dlt[postgres]",)
    shown = ("dlt", "requests", "orjson")
    env: ClassVar[dict[str, str]] = {"RUNTIME__DLTHUB_TELEMETRY": "false"}

    def command(self, work: Work, config: dict[str, Any], folder: Path) -> list[str]:
        """See `Tool`."""
        job = _written(folder, "job", work.job(config))
        return [str(self.python), str(_PEERS / "dlt_rest_api.py"), job, str(folder / "pipelines")]


class Airbyte(Tool):
    """The Airbyte CDK with a declarative manifest."""

    name = "airbyte"
    label = "Airbyte CDK"
    requirements = ("airbyte-cdk",)
    shown = ("airbyte-cdk", "requests")

    def command(self, work: Work, config: dict[str, Any], folder: Path) -> list[str]:
        """See `Tool`."""
        job = work.job(config)
        files = {
            "config": {name: job[name] for name in ("base_url", "api_key")},
            "catalog": airbyte.catalog(job),
            "manifest-path": airbyte.manifest(job),
        }
        program = self.python.with_name("source-declarative-manifest")
        paths = [(f"--{name}", _written(folder, name, file)) for name, file in files.items()]
        return [str(program), "read", *(part for pair in paths for part in pair)]


class Floor(Tool):
    """`requests` and `orjson` with nothing else."""

    name = "floor"
    label = "floor: requests + orjson"
    requirements = ("requests", "orjson")
    shown = ("requests", "orjson")

    def command(self, work: Work, config: dict[str, Any], folder: Path) -> list[str]:
        """See `Tool`."""
        job = _written(folder, "job", work.job(config))
        return [str(self.python), str(_PEERS / "floor.py"), job]


TOOLS: tuple[type[Tool], ...] = (Ours, PlainSdk, Dlt, Airbyte, Floor)


def _written(folder: Path, name: str, content: Any) -> str:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)
