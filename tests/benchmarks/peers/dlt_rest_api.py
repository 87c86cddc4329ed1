"""dlt's `rest_api` source, extracted into load packages, and loaded if it is told where.

Run as `dlt_rest_api.py JOB FOLDER [URL SCHEMA [incremental]]`, with the same file as `floor.py`, a
folder to write to, and a PostgreSQL to merge into; prints how many records were extracted.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dlt  # type: ignore[import-not-found,unused-ignore]
from dlt.sources.rest_api import (  # type: ignore[import-not-found,unused-ignore]
    rest_api_source,
)

_ARGUMENTS_TO_EXTRACT = 3


def with_segment(row: dict[str, Any]) -> dict[str, Any]:
    """Add the id as the source has to put it into a path."""
    return {**row, "segment": quote(row["id"], safe="")}


def resource(endpoint: dict[str, Any], *, incremental: bool) -> dict[str, Any]:
    """Declare one list, and whether it is read from its last cursor on."""
    path, parent = endpoint["path"], endpoint["parent"]
    if parent:
        path = path.replace(endpoint["placeholder"], f"{{resources.{parent}.segment}}")
    total = endpoint["total_pages"]
    pages: dict[str, Any] = {"type": "page_number", "base_page": 1, "total_path": total}
    links: dict[str, Any] = {"type": "json_link", "next_url_path": endpoint["next_link"]}
    declared: dict[str, Any] = {
        "name": endpoint["name"],
        "primary_key": endpoint["keys"],
        "write_disposition": "merge",
        "parallelized": True,
        "endpoint": {
            "path": path,
            "params": {endpoint["size_param"]: endpoint["page_size"]},
            "paginator": pages if total else links,
            "data_selector": endpoint["records"],
        },
    }
    if incremental and endpoint["cursor"]:
        declared["endpoint"]["incremental"] = {
            "cursor_path": endpoint["cursor"],
            "initial_value": 0,
        }
    if endpoint["has_children"]:
        declared["processing_steps"] = [{"map": with_segment}]
    return declared


def main() -> None:
    """Extract every list of the job."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    auth = {
        "type": "api_key",
        "name": "api_key",
        "api_key": job["api_key"],
        "location": "header",
    }
    source = rest_api_source(
        {
            "client": {"base_url": job["base_url"], "auth": auth},
            "resources": [
                resource(endpoint, incremental="incremental" in sys.argv)
                for endpoint in job["endpoints"]
            ],
        }
    )
    if len(sys.argv) > _ARGUMENTS_TO_EXTRACT:
        source.max_table_nesting = 0  # arrays and objects in a column, as targets have them
        destination = dlt.destinations.postgres(sys.argv[3])
        dlt.pipeline(
            "benchmark",
            pipelines_dir=sys.argv[2],
            destination=destination,
            dataset_name=sys.argv[4],
        ).run(source)
        return
    pipeline = dlt.pipeline("benchmark", pipelines_dir=sys.argv[2], destination="dummy")
    packages = pipeline.extract(source).metrics.values()
    names = {endpoint["name"] for endpoint in job["endpoints"]}
    extracted = sum(
        metrics.items_count
        for package in packages
        for step in package
        for table, metrics in step["table_metrics"].items()
        if table in names
    )
    sys.stdout.write(json.dumps({"type": "EXTRACTED", "records": extracted}) + "\n")


if __name__ == "__main__":
    main()
