"""What the files around the code promise holds: metadata, meltano.yml, README, CI."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tap_analytics.apis import PACKAGES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
MELTANO = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
LOADERS = MELTANO["plugins"]["loaders"]
TAP, *INHERITED = MELTANO["plugins"]["extractors"]
DEFINITION = yaml.safe_load((ROOT / "tap_analytics/plugin.yml").read_text(encoding="utf-8"))
# What Meltano's hub says of a plugin to its readers, and a project does not keep.
SHOWN_BY_THE_HUB = {"keywords", "maintenance_status", "quality"}
KINDS_OF_THE_HUB = {"array", "boolean", "date_iso8601", "integer", "object", "options", "string"}


def tracked() -> list[Path]:
    """Return the files git knows or would add."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def minors() -> list[int]:
    """Return the minor versions of Python 3 that the classifiers name."""
    found = [re.search(r":: 3\.(\d+)$", classifier) for classifier in PROJECT["classifiers"]]
    return [int(match[1]) for match in found if match]


def test_classifiers_start_at_requires_python_without_gaps() -> None:
    assert PROJECT["requires-python"] == f">=3.{minors()[0]}"
    assert minors() == list(range(minors()[0], minors()[-1] + 1))


def test_workflow_runs_every_supported_python() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert matrix == [f"3.{minor}" for minor in minors()]


@pytest.mark.parametrize("workflow", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=str)
def test_actions_are_pinned_by_commit(workflow: Path) -> None:
    used = re.findall(r"uses: (\S+)", workflow.read_text(encoding="utf-8"))
    assert used
    assert [action for action in used if not re.search(r"@[0-9a-f]{40}$", action)] == []


def test_every_import_of_the_package_is_a_declared_dependency() -> None:
    distributions = {"backoff": "python-backoff", "psycopg": "psycopg[binary]", "yaml": "pyyaml"}
    imported = {
        name
        for path in (ROOT / "tap_analytics").rglob("*.py")
        for name in re.findall(r"^(?:import|from) (\w+)", path.read_text("utf-8"), re.MULTILINE)
    }
    third_party = imported - sys.stdlib_module_names - {"tap_analytics"}
    declared = {
        re.split(r"[<>=~;\s]", requirement)[0]
        for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
        for requirement in group
    }
    named = {distributions.get(name, name.replace("_", "-")) for name in third_party}
    assert named <= declared


def errors_of_meltano(project: dict[str, Any]) -> list[str]:
    """Return what Meltano's own schema finds wrong with a project."""
    schema = json.loads(files("meltano").joinpath("schemas/meltano.schema.json").read_text("utf-8"))
    errors = jsonschema.Draft202012Validator(schema).iter_errors(project)
    return [f"{error.json_path}: {error.message}" for error in errors]


def test_meltano_yml_is_valid_for_meltano() -> None:
    assert errors_of_meltano(MELTANO) == []


def test_the_definition_is_valid_for_meltano_and_as_the_hub_wants_it() -> None:
    kept = {name: part for name, part in DEFINITION.items() if name not in SHOWN_BY_THE_HUB}
    project = {key: value for key, value in MELTANO.items() if key != "plugins"}
    assert errors_of_meltano(project | {"plugins": {"extractors": [kept]}}) == []
    assert SHOWN_BY_THE_HUB | {"name", "namespace", "variant", "label"} <= set(DEFINITION)
    assert {setting["kind"] for setting in DEFINITION["settings"]} <= KINDS_OF_THE_HUB
    assert all(setting["description"] and setting["label"] for setting in DEFINITION["settings"])


def test_the_definition_says_in_one_sentence_what_it_is() -> None:
    assert DEFINITION["description"].count(".") == 1
    assert DEFINITION["description"].endswith(".")


def test_the_definition_is_the_plugin_of_this_project() -> None:
    here = {"pip_url", "use_cached_catalog"}
    assert {name: DEFINITION.get(name) for name in TAP if name not in here} == {
        name: part for name, part in TAP.items() if name not in here
    }


def test_accounts_of_this_project_do_not_share_a_schema() -> None:
    assert len(INHERITED) >= 2
    assert [plugin for plugin in (TAP, *INHERITED) if "load_schema" in plugin] == []


@pytest.mark.parametrize("plugin", [TAP, *LOADERS], ids=lambda plugin: plugin["name"])
def test_no_plugin_needs_the_hub(plugin: dict[str, Any]) -> None:
    assert plugin["namespace"]
    assert plugin["pip_url"]


@pytest.mark.parametrize("loader", LOADERS, ids=lambda loader: loader["name"])
def test_every_loader_is_pinned(loader: dict[str, Any]) -> None:
    requirements = [part for part in loader["pip_url"].split() if not part.startswith("-")]
    assert [part for part in requirements if not re.fullmatch(r"[\w-]+==[\d.]+", part)] == []


def test_each_api_turns_on_by_its_own_key() -> None:
    keys = [name for group in TAP["settings_group_validation"] for name in group]
    secret = [setting["name"] for setting in TAP["settings"] if setting.get("sensitive")]
    wanted = [name for name in secret if re.search(r"_api_key(_id)?$", name)]
    renewed = ["esignature_refresh_token", "esignature_client_id", "esignature_client_secret"]
    assert sorted(keys) == sorted([*wanted, *renewed, "accounts"])
    definition = yaml.safe_load((ROOT / "tap_analytics/plugin.yml").read_text(encoding="utf-8"))
    assert definition["settings_group_validation"] == TAP["settings_group_validation"]


def test_env_example_names_only_settings_that_exist() -> None:
    known = {
        f"{plugin['namespace']}_{setting['name']}".upper()
        for plugin in [TAP, *LOADERS]
        for setting in plugin["settings"]
    }
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^(?:# )?([A-Z_]+)=", text, re.MULTILINE)) <= known


def test_generated_pages_are_what_the_code_says() -> None:
    check = [sys.executable, str(ROOT / ".github/scripts/docs.py"), "--check"]
    ran = subprocess.run(check, check=False, capture_output=True, text=True)  # noqa: S603
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_ci_runs_the_test_command_of_the_readme() -> None:
    commands = re.findall(r"^```bash\n(.+)\n```$", README, re.MULTILINE)
    assert len(commands) >= 2
    run = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert f"{commands[1]} || status=1" in run


def test_readme_shows_a_stream_as_it_is() -> None:
    shown = re.search(r"^```python\n(.+?)^```$", README, re.MULTILINE | re.DOTALL)
    assert shown
    streams = ROOT / "tap_analytics/apis/experimentation/streams.py"
    assert shown[1] in streams.read_text(encoding="utf-8")


def test_readme_says_first_what_for_whom_and_how() -> None:
    screen = README.split("## Use it")[0]
    vendors = ("Factorial", "Statuspage", "Statsig", "Freshsales", "SignNow")
    assert all(vendor in screen.splitlines()[2] for vendor in vendors)
    assert len(re.findall(r"^uv run .+$", screen, re.MULTILINE)) == 2
    assert len(screen.splitlines()) <= 25


PAGES = sorted((ROOT / "tap_analytics/apis").glob("*/README.md"))


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.parent.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_vendor_has_a_page_that_answers_the_same_questions() -> None:
    assert len(PAGES) == len(PACKAGES)
    assert [page for page in PAGES if str(page.relative_to(ROOT)) not in README] == []
    asked = [re.findall(r"^## (.+)$", page.read_text("utf-8"), re.MULTILINE) for page in PAGES]
    assert len(asked[0]) == 7
    assert asked == [asked[0]] * len(PAGES)


def test_wheel_and_license() -> None:
    assert (ROOT / "tap_analytics/py.typed").exists()
    assert "Typing :: Typed" in PROJECT["classifiers"]
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_nothing_tracked_names_a_package_index() -> None:
    host = re.compile(rb"https?://[\w.-]*(?:pypi|pythonhosted)\.")
    assert ROOT / "uv.lock" not in tracked()
    assert [path for path in tracked() if host.search(path.read_bytes())] == []
