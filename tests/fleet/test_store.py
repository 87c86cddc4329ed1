"""The place that machines share."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tap_analytics.fleet.store import Store
from tests.helpers.environments import installed
from tests.helpers.support import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return Store(str(tmp_path / "not yet there"))
    return Store(f"memory://{tmp_path.name}")


def test_a_file_is_read_as_it_was_last_written(store: Store) -> None:
    assert store.read("states/acme.json") is None
    store.write("states/acme.json", b"1")
    store.write("states/acme.json", b"22")
    assert store.read("states/acme.json") == b"22"


def test_names_are_those_of_one_folder(store: Store) -> None:
    assert store.names("states") == []
    for name in ("states/b.json", "states/a.json", "leases/c/1.json"):
        store.write(name, b"")
    assert store.names("states") == ["a.json", "b.json"]
    store.remove("states/a.json")
    store.remove("states/a.json")
    assert store.names("states") == ["b.json"]


def test_of_many_that_create_a_file_one_does(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda n: store.create("leases/1.json", b"%d" % n), range(64)))
    assert made.count(True) == 1
    assert store.read("leases/1.json") == b"%d" % made.index(True)


def test_a_reader_never_sees_a_file_half_written(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    whole = [bytes([number]) * 300_000 for number in range(8)]
    store.write("state", whole[0])

    def write(content: bytes) -> None:
        for _ in range(5):
            store.write("state", content)

    with ThreadPoolExecutor(9) as pool:
        writers = [pool.submit(write, content) for content in whole]
        while not all(writer.done() for writer in writers):
            assert store.read("state") in whole
        for writer in writers:
            writer.result()
    assert store.names("") == ["state"]


def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(tmp_path))
    store.write("state", b"before")

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.write("state", b"after")
    assert store.read("state") == b"before"
    assert store.names("") == ["state"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_file_that_cannot_be_filled_is_not_created(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys; from tap_analytics.fleet.store import Store\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "store = Store(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "for _ in range(2):\n"
        "    try:\n"
        "        store.create('lease', bytes(99))\n"
        "    except OSError as error:\n"
        "        print(error.errno)\n"
        "print(store.names(''), store.create('lease', bytes(9)))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
    assert done.stdout.split("\n") == ["27", "27", "[] True", ""]


def test_a_protocol_that_is_not_there_is_said() -> None:
    with pytest.raises(ValueError, match="nosuch"):
        Store("nosuch://place")


@pytest.mark.slow
def test_buckets_do_what_folders_do() -> None:
    programs = installed("s3fs>=2025.1", "moto[server]>=5", "typing_extensions")
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    env = environment(AWS_DEFAULT_REGION="us-east-1", PYTHONPATH=str(ROOT), **keys)
    command = [str(programs / "python"), "-m", "tests.fleet.s3"]
    subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=120)  # noqa: S603
