"""Keeps leases and states of a fleet in an S3-compatible server, and checks what it is told.

A program of its own, for it needs packages that the tests have not.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import fsspec
from moto.server import ThreadedMotoServer

from tap_analytics.fleet.lease import Busy, Holder, Lease
from tap_analytics.fleet.store import Store

SECONDS = 4
URL = "s3://bucket/fleet"


def refusal(fleet: str) -> str:
    """Return why a fleet does not get the lease; empty if it does, and gives it back."""
    try:
        with Lease(Store(URL), "acme", Holder(fleet, f"machine of {fleet}"), SECONDS):
            return ""
    except Busy as busy:
        return str(busy)


def main() -> None:
    store = Store(URL)
    assert store.read("states/acme.json") is None
    assert store.names("states") == []
    for content in (b"1", b"22"):
        store.write("states/acme.json", content)
    assert store.read("states/acme.json") == b"22"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: store.create("x/1.json", b"%d" % n), range(16)))
    assert made.count(True) == 1
    assert store.read("x/1.json") == b"%d" % made.index(True)
    for _ in range(2):
        store.remove("x/1.json")
    assert store.names("x") == []
    with Lease(store, "acme", Holder("one", "machine of one"), SECONDS) as held:
        assert "machine of one" in refusal("two")
        held.check()
    assert refusal("three") == ""
    assert store.names("leases/acme") == ["2.json"]


if __name__ == "__main__":
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ["AWS_ENDPOINT_URL"] = f"http://{host}:{port}"
    fsspec.filesystem("s3").mkdir("bucket")
    main()
    server.stop()
