"""The least that Python can do: one request after the other, decoded and written again.

Run as `floor.py JOB`, with a file that holds `base_url`, `api_key` and `endpoints`; only lists
without parents are read.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import orjson  # type: ignore[import-not-found,unused-ignore]
import requests


def pages(session: requests.Session, base_url: str, endpoint: dict[str, Any]) -> Any:
    """Yield the records of each page of a list, up to the first empty one."""
    page = 0
    while True:
        page += 1
        params = {"page": page, endpoint["size_param"]: endpoint["page_size"]}
        answer = session.get(base_url + endpoint["path"], params=params, timeout=60)
        answer.raise_for_status()
        records = orjson.loads(answer.content)[endpoint["records"]]
        if not records:
            return
        yield records


def read(session: requests.Session, base_url: str, endpoint: dict[str, Any]) -> None:
    """Write one list as Singer messages."""
    name, out = endpoint["name"], sys.stdout.buffer
    for records in pages(session, base_url, endpoint):
        for record in records:
            message = {"type": "RECORD", "stream": name, "record": record}
            out.write(orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE))


def main() -> None:
    """Read every list of the job."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with requests.Session() as session:
        session.headers["api_key"] = job["api_key"]
        for endpoint in job["endpoints"]:
            read(session, job["base_url"], endpoint)


if __name__ == "__main__":
    main()
