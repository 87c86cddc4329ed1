"""What there is to read, and how much of it a tool is asked to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Endpoint:
    """One list of the sandbox, for tools that are told by data.

    Attributes:
        name: Name of the stream.
        api: Name of its API.
        path: Path, with a placeholder for the parent's id.
        records: Field of the body that holds the rows.
        size_param: Parameter for the size of a page.
        total_pages: Where the body names the number of pages; empty if it does not.
        next_link: Where the body links to the next page; empty if it does not.
        parent: Name of the stream whose rows have such lists.
        keys: The fields that tell its rows apart.
        cursor: The field that grows with each change of a row; empty if there is none.
    """

    name: str
    api: str
    path: str
    records: str
    size_param: str
    total_pages: str = ""
    next_link: str = ""
    parent: str = ""
    keys: tuple[str, ...] = ("id",)
    cursor: str = ""

    @property
    def placeholder(self) -> str:
        """What stands in the path for the parent's id, braces included."""
        found = re.search(r"{\w+}", self.path)
        return found[0] if found else ""


OPEN_TASKS = Endpoint(
    "open_tasks", "sales", "/v1/tasks", "tasks", "per_page", total_pages="meta.total_pages"
)
PARENTS = Endpoint(
    "dynamic_configs",
    "experimentation",
    "/v1/dynamic_configs",
    "data",
    "limit",
    next_link="pagination.nextPage",
    cursor="lastModifiedTime",
)
CHILDREN = Endpoint(
    "dynamic_configs_versions",
    "experimentation",
    "/v1/dynamic_configs/{dynamic_config_id}/versions",
    "data",
    "limit",
    next_link="pagination.nextPage",
    parent=PARENTS.name,
    keys=("id", "version"),
)
SCHEDULES = Endpoint("schedules", "workforce", "/v1/work_schedule/schedules", "data", "limit")
FAMILY = (PARENTS, CHILDREN)


@dataclass(frozen=True)
class Work:
    """What a tool is asked to read; all endpoints belong to one API.

    Attributes:
        endpoints: The lists, parents first.
        page_size: Rows to ask for on a page.
        concurrency: Requests in flight, for tools that let one choose; None is the default.
        state: File with the state to go on from.
    """

    endpoints: tuple[Endpoint, ...]
    page_size: int = 100
    concurrency: int | None = None
    state: Path | None = None

    @property
    def api(self) -> str:
        """The API to read."""
        return self.endpoints[0].api

    @property
    def names(self) -> tuple[str, ...]:
        """The streams to read."""
        return tuple(endpoint.name for endpoint in self.endpoints)

    def job(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return the work as the peers read it, with how to reach the server in `config`."""
        parents = {endpoint.parent for endpoint in self.endpoints}
        return {
            "base_url": config[f"{self.api}_base_url"],
            "api_key": config[f"{self.api}_api_key"],
            "endpoints": [
                {
                    **vars(endpoint),
                    "placeholder": endpoint.placeholder,
                    "page_size": self.page_size,
                    "has_children": endpoint.name in parents,
                }
                for endpoint in self.endpoints
            ],
        }
