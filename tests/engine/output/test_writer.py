"""Lines and states over a real pipe."""

from __future__ import annotations

import atexit
import errno
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.singerlib.messages import RecordMessage

from tap_analytics.engine.errors import ClosedOutput, Terminated
from tap_analytics.engine.output import writer as writers
from tap_analytics.engine.output.writer import Checkpoints, LineWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Pipe:
    """Standard output as a pipe, and what came out of it."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)

    def read(self) -> bytes:
        """Return what came since the last call."""
        parts = []
        while True:
            try:
                part = os.read(self.reading, 1 << 20)
            except BlockingIOError:
                break
            if not part:
                break
            parts.append(part)
        return b"".join(parts)

    def states(self) -> list[Any]:
        lines = [json.loads(line) for line in self.read().splitlines()]
        return [line["value"] for line in lines if line["type"] == "STATE"]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    pipe = Pipe()
    with os.fdopen(pipe.writing, "w", closefd=False) as stream:
        # not in sys itself, where pytest puts its own between fixture and test
        monkeypatch.setattr(writers, "sys", SimpleNamespace(stdout=stream, __stdout__=stream))
        yield pipe
    for descriptor in (pipe.reading, pipe.writing):
        with suppress(OSError):
            os.close(descriptor)


@pytest.fixture
def full_disk() -> Iterator[SimpleNamespace]:
    """Stand for a module `sys` whose standard output is on a full disk."""
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("no device here that is always full")
    with device.open("w", encoding="utf-8") as full:
        yield SimpleNamespace(stdout=full, __stdout__=full)


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 500.0
        monkeypatch.setattr(writers, "time", SimpleNamespace(monotonic=lambda: self.now))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_lines_leave_when_they_are_flushed(pipe: Pipe) -> None:
    writer = LineWriter()
    writer.write(b"a\n")
    writer.write(b"b\n")
    assert pipe.read() == b""
    writer.flush()
    assert pipe.read() == b"a\nb\n"
    writer.flush()
    assert pipe.read() == b""


@pytest.mark.parametrize(("holding", "size"), [(False, 256 << 10), (True, 4 << 20)])
def test_lines_leave_when_enough_have_gathered(pipe: Pipe, size: int, *, holding: bool) -> None:
    writer = LineWriter()
    writer.holding = holding
    writer.write(b"x" * (size - 1))
    assert pipe.read() == b""
    taken: list[bytes] = []
    stop = threading.Event()

    def drain() -> None:
        while not stop.wait(0.001):
            taken.append(pipe.read())

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()
    writer.write(b"\n")
    stop.set()
    thread.join(5)
    assert len(b"".join(taken) + pipe.read()) == size


@pytest.mark.parametrize(
    ("before", "most"), [(1 << 20, 4 << 20), (4 << 20, 4 << 20), ((4 << 20) + 1, 512 << 10)]
)
def test_where_too_much_comes_to_be_held_it_leaves_in_pieces(
    monkeypatch: pytest.MonkeyPatch, before: int, most: int
) -> None:
    left: list[int] = []

    def write_some(data: bytearray) -> int:
        left.append(len(data))
        return len(data)

    writer = LineWriter()
    monkeypatch.setattr(writers, "_write_some", write_some)
    writer.holding = True
    writer.write(b"x" * before)
    writer.settle()
    assert (sum(left), writer.holding) == (before, False)
    left.clear()
    writer.holding = True
    writer.write(b"x" * (most - 1))
    assert left == []
    writer.write(b"\n")
    assert left == [most]
    writer.write(b"x" * (4 << 20))
    writer.write(b"x" * (512 << 10))
    assert len(left) == 3
    writer.settle()
    writer.settle()
    writer.holding = True
    writer.write(b"x" * (512 << 10))
    assert len(left) == 3


def test_messages_become_lines(pipe: Pipe) -> None:
    writer = LineWriter()
    message = RecordMessage(stream="s", record={"a": "é\x00"})
    assert writer.serialize_message(message).endswith(b"\n")
    writer.write_message(message)
    writer.flush()
    assert json.loads(pipe.read()) == {"type": "RECORD", "stream": "s", "record": {"a": "é"}}


def test_partial_writes_lose_nothing(pipe: Pipe) -> None:
    data = b"".join(b"%d\n" % number for number in range(60_000))
    taken: list[bytes] = []

    deadline = time.monotonic() + 10

    def drain() -> None:
        while sum(map(len, taken)) < len(data) and time.monotonic() < deadline:
            taken.append(pipe.read())

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()
    writer = LineWriter()
    writer.write(data)
    writer.flush()
    thread.join(10)
    assert b"".join(taken) == data


def test_standard_output_may_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    text = io.StringIO()
    monkeypatch.setattr(writers, "sys", SimpleNamespace(stdout=text, __stdout__=sys.__stdout__))
    writer = LineWriter()
    writer.write("é\n".encode())
    writer.flush()
    assert text.getvalue() == "é\n"


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ECONNRESET])
def test_a_reader_that_left_is_a_closed_output(number: int) -> None:
    closed = ClosedOutput(OSError(number, "gone"))
    assert (closed.status, str(closed)) == (141, "standard output was closed before the end")


def test_a_closed_pipe_is_said(pipe: Pipe) -> None:
    writer = LineWriter()
    os.close(pipe.reading)
    writer.write(b"a\n")
    with pytest.raises(ClosedOutput) as closed:
        writer.flush()
    assert closed.value.status == 141
    assert str(closed.value) == "standard output was closed before the end"
    assert not writer._writing


def test_a_full_disk_is_said(full_disk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "sys", full_disk)
    writer = LineWriter()
    writer.write(b"a\n")
    with pytest.raises(ClosedOutput) as closed:
        writer.flush()
    assert closed.value.status == 1
    assert str(closed.value) == "standard output cannot be written: No space left on device"
    assert not writer._writing


def test_nothing_leaves_after_lines_that_did_not(
    pipe: Pipe, full_disk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = LineWriter()
    states = Checkpoints(writer, {"bookmarks": {"s": {}}})
    with monkeypatch.context() as patch:
        patch.setattr(writers, "sys", full_disk)
        writer.write(b"a\n")
        with pytest.raises(ClosedOutput) as closed:
            writer.flush()
    for _ in range(2):
        with pytest.raises(ClosedOutput) as again:
            states.write(last=True)
        assert again.value is closed.value
    assert pipe.read() == b""


def test_the_end_comes_at_once_between_writes() -> None:
    with pytest.raises(Terminated) as end:
        LineWriter().ask_end(signal.SIGTERM)
    assert end.value.status == 143


def test_the_end_comes_after_the_lines_that_are_being_written(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = LineWriter()
    whole = writers._write_some

    def interrupted(data: bytearray) -> int:
        writer.ask_end(signal.SIGTERM)
        return whole(data)

    monkeypatch.setattr(writers, "_write_some", interrupted)
    writer.write(b"a\n")
    with pytest.raises(Terminated) as end:
        writer.flush()
    assert end.value.status == 143
    assert pipe.read() == b"a\n"
    monkeypatch.setattr(writers, "_write_some", whole)
    writer.write(b"b\n")
    writer.flush()
    assert pipe.read() == b"b\n"


def test_a_second_signal_ends_at_once() -> None:
    script = (
        "from tap_analytics.engine.output.writer import LineWriter\n"
        "writer = LineWriter()\n"
        "try:\n    writer.ask_end(15)\n"
        "except BaseException:\n    writer.ask_end(2)\n"
        "print('never')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)  # noqa: S603
    assert (done.returncode, done.stdout) == (130, b"")


def test_a_state_waits_for_the_next_ones(pipe: Pipe, clock: Clock) -> None:
    state: dict[str, Any] = {"bookmarks": {"s": {"n": 0}}}
    writer = LineWriter()
    states = Checkpoints(writer, state)
    states.moved()
    assert [writer.holding, pipe.read()] == [True, b""]
    assert states.due_in() == pytest.approx(0.2)
    clock.now += 0.1
    states.moved()
    assert states.due_in() == pytest.approx(0.1)
    clock.now += 0.11
    state["bookmarks"]["s"]["n"] = 1
    states.moved()
    assert [writer.holding, pipe.states()] == [False, [{"bookmarks": {"s": {"n": 1}}}]]
    assert states.due_in() == pytest.approx(1)
    for number in range(2, 6):
        clock.now += 0.3
        state["bookmarks"]["s"]["n"] = number
        states.moved()
    assert pipe.states() == [{"bookmarks": {"s": {"n": 5}}}]


def test_a_state_goes_with_its_lines(pipe: Pipe, clock: Clock) -> None:
    writer = LineWriter()
    states = Checkpoints(writer, {"bookmarks": {}})
    writer.write(b'{"type":"RECORD"}\n')
    states.moved()
    clock.now += 1
    writer.write(b'{"type":"RECORD"}\n')
    states.moved()
    kinds = [json.loads(line)["type"] for line in pipe.read().splitlines()]
    assert kinds == ["RECORD", "RECORD", "STATE"]


def test_the_same_state_is_written_once(pipe: Pipe, clock: Clock) -> None:
    writer = LineWriter()
    states = Checkpoints(writer, {"bookmarks": {"s": {}}})
    states.write()
    clock.now += 5
    writer.write(b'{"type":"RECORD"}\n')
    states.write()
    kinds = [json.loads(line)["type"] for line in pipe.read().splitlines()]
    assert kinds == ["STATE", "RECORD"]


def test_the_last_state_is_written_again(pipe: Pipe) -> None:
    states = Checkpoints(LineWriter(), {"bookmarks": {"s": {}}})
    states.write()
    states.write(last=True)
    assert len(pipe.states()) == 2


def test_an_empty_state_is_not_written(pipe: Pipe) -> None:
    Checkpoints(LineWriter(), {}).write()
    assert pipe.read() == b""


def test_a_state_is_written_when_it_is_due_and_not_before(pipe: Pipe, clock: Clock) -> None:
    clock.now = 0.5
    states = Checkpoints(LineWriter(), {"bookmarks": {"s": {}}})
    assert states.due_in() == -0.5
    states.moved()
    clock.now += states.due_in()
    assert states.due_in() == 0
    states.moved()
    assert len(pipe.states()) == 1


def test_the_end_is_said_once(pipe: Pipe) -> None:
    writer = LineWriter()
    with pytest.raises(Terminated):
        writer.ask_end(signal.SIGTERM)
    writer.write(b"a\n")
    writer.flush()
    assert pipe.read() == b"a\n"


def test_a_second_signal_ends_with_its_own_status(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []

    def end(status: int) -> None:
        ended.append(status)
        raise SystemExit

    monkeypatch.setattr(os, "_exit", end)
    writer = LineWriter()
    with pytest.raises(Terminated):
        writer.ask_end(signal.SIGTERM)
    with pytest.raises(SystemExit):
        writer.ask_end(signal.SIGINT)
    assert ended == [130]


@pytest.fixture
def at_exit(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """Collect what is to be done when the process ends."""
    todo: list[Callable[[], object]] = []
    monkeypatch.setattr(atexit, "register", lambda what, *with_: todo.append(partial(what, *with_)))
    return todo


@contextmanager
def signals_to(writer: LineWriter) -> Iterator[None]:
    """Let the writer be asked to end by a real signal."""
    before = signal.signal(signal.SIGUSR1, lambda *_: writer.ask_end(signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def soon(seconds: float) -> None:
    """Send the signal after a while."""
    threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGUSR1)).start()


MUCH = b"x" * (1 << 20)


@pytest.mark.usefixtures("at_exit")
def test_a_reader_that_takes_nothing_is_given_up_after_a_while(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "_SECONDS_STUCK", 0.5)
    monkeypatch.setattr(writers, "_SECONDS_BETWEEN_LOOKS", 0.05)
    writer = LineWriter()
    began = time.monotonic()
    soon(0.3)
    with signals_to(writer), pytest.raises(Terminated) as end:
        writer.write(MUCH)
    assert end.value.status == 143
    assert 0.8 <= time.monotonic() - began < 10
    assert 0 < len(pipe.read()) < len(MUCH)
    with pytest.raises(ClosedOutput):
        writer.flush()
    assert pipe.read() == b""


@pytest.mark.usefixtures("at_exit")
def test_a_reader_that_took_nothing_from_the_start_is_given_up(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "_SECONDS_STUCK", 0.2)
    os.set_blocking(pipe.writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(pipe.writing, MUCH)
    writer = LineWriter()
    writer.write(b"a\n")
    soon(0.3)
    with signals_to(writer), pytest.raises(Terminated):
        writer.flush()
    assert b"a\n" not in pipe.read()


@pytest.mark.usefixtures("at_exit")
def test_a_reader_that_takes_little_at_a_time_gets_everything(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "_SECONDS_STUCK", 5.0)
    taken: list[bytes] = []
    over = threading.Event()

    def take() -> None:
        while not over.wait(0.02):
            with suppress(BlockingIOError):
                taken.append(os.read(pipe.reading, 1 << 16))

    writer = LineWriter()
    threading.Timer(0.6, take).start()
    soon(0.3)
    with signals_to(writer), pytest.raises(Terminated):
        writer.write(MUCH)
    over.set()
    time.sleep(0.1)
    assert b"".join(taken) + pipe.read() == MUCH


def test_an_output_that_never_blocks_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.writing, False)
    taken: list[bytes] = []
    deadline = time.monotonic() + 10

    def take() -> None:
        while sum(map(len, taken)) < len(MUCH) and time.monotonic() < deadline:
            taken.append(pipe.read())
            time.sleep(0.005)

    reader = threading.Timer(0.2, take)
    reader.start()
    LineWriter().write(MUCH)
    reader.join(10)
    assert b"".join(taken) == MUCH


def test_a_shared_output_is_as_it_was_when_the_process_ends(
    pipe: Pipe, at_exit: list[Callable[[], object]]
) -> None:
    for _ in range(2):
        with pytest.raises(Terminated):
            LineWriter().ask_end(signal.SIGTERM)
    assert not os.get_blocking(pipe.writing)
    (restore,) = at_exit
    restore()
    assert os.get_blocking(pipe.writing)
    os.close(pipe.writing)
    restore()


def a_file_that_was_closed() -> Any:
    file = io.FileIO(os.dup(1), "w")
    file.close()
    return file


class Gone:
    """A file whose descriptor somebody else has closed."""

    def fileno(self) -> int:
        number = os.dup(1)
        os.close(number)
        return number


@pytest.mark.parametrize(
    "stdout", [None, a_file_that_was_closed(), Gone()], ids=["none", "closed", "gone"]
)
def test_the_end_may_come_where_there_is_no_output(
    stdout: Any, monkeypatch: pytest.MonkeyPatch, at_exit: list[Callable[[], object]]
) -> None:
    monkeypatch.setattr(writers, "sys", SimpleNamespace(stdout=stdout, __stdout__=stdout))
    with pytest.raises(Terminated):
        LineWriter().ask_end(signal.SIGTERM)
    assert at_exit == []
