"""The place that a fleet's machines share: small files by name, in a folder or a bucket."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem


class Store:
    """Small files at an fsspec URL; a reader finds one whole, or as it was before, or not."""

    def __init__(self, url: str) -> None:
        """Take the URL, such as ``/srv/fleet``, ``s3://bucket/fleet`` or ``memory://fleet``.

        Raises:
            ValueError: fsspec knows no such protocol.
            ImportError: The package for the protocol is not installed.
        """
        self._fs: Any
        self._fs, root = fsspec.url_to_fs(url)
        self._root = root.rstrip("/")
        self._is_local = isinstance(self._fs, LocalFileSystem)

    def read(self, name: str) -> bytes | None:
        """Return what a file holds, None if there is none."""
        try:
            content: bytes = self._fs.cat_file(self._path(name))
        except FileNotFoundError:
            return None
        return content

    def write(self, name: str, content: bytes) -> None:
        """Put a file there, in place of any before."""
        path = self._folder_of(name)
        if self._is_local:
            _replace(path, content)
        else:  # object stores show an object when it is whole
            self._fs.pipe_file(path, content)

    def create(self, name: str, content: bytes) -> bool:
        """Put a file there unless there is one; returns whether it was put there.

        Of several that try at once one succeeds: folders and object stores see to that.
        """
        path = self._folder_of(name)
        try:
            if self._is_local:
                _create(path, content)
            else:
                self._fs.pipe_file(path, content, mode="create")
        except FileExistsError:
            return False
        return True

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder, in order."""
        path = self._path(folder)
        self._fs.invalidate_cache(path)
        try:
            found: list[str] = self._fs.ls(path, detail=False)
        except FileNotFoundError:
            return []
        return sorted(name.rsplit("/", 1)[-1] for name in found)

    def remove(self, name: str) -> None:
        """Remove a file, if there is one."""
        with suppress(FileNotFoundError):
            self._fs.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _folder_of(self, name: str) -> str:
        path = self._path(name)
        self._fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        return path


def _create(path: str, content: bytes) -> None:
    with open(path, "xb") as file:  # noqa: PTH123 - as fsspec names it
        try:
            file.write(content)
            file.flush()
        except BaseException:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108
            raise


def _replace(path: str, content: bytes) -> None:
    """Write beside the file, then take its place: that is one step on every file system."""
    handle, beside = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".")  # noqa: PTH120
    try:
        with open(handle, "wb") as file:  # noqa: PTH123
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.replace(beside, path)  # noqa: PTH105
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)  # noqa: PTH108
        raise
