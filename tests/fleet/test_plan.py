"""The file of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_analytics.fleet.plan import PlanError, read

if TYPE_CHECKING:
    from pathlib import Path

    from tap_analytics.fleet.plan import Member

COMMON = """
sales_base_url: https://crm.example.org
start_date: 2025-01-01
"""
CANARY = "canary-c4n4ry"


def plan(folder: Path, text: str, **environment: str) -> list[Member]:
    path = folder / "accounts.yaml"
    path.write_text(text, encoding="utf-8")
    return read(path, environment)


def errors(folder: Path, text: str, **environment: str) -> str:
    with pytest.raises(PlanError) as caught:
        plan(folder, text, **environment)
    assert CANARY not in str(caught.value)
    return "\n".join(caught.value.errors)


def test_each_account_has_the_settings_around_it(tmp_path: Path) -> None:
    acme, globex = plan(
        tmp_path,
        f"""{COMMON}
accounts:
- {{name: acme, sales_api_key: $ACME_KEY}}
- {{name: globex, sales_api_key: "${{GLOBEX_KEY}}", workforce_api_key: $$ACME_KEY,
    workforce_base_url: "https://hr.example.org"}}
""",
        ACME_KEY="a",
        GLOBEX_KEY="g",
    )
    assert acme.config == {
        "sales_base_url": "https://crm.example.org",
        "start_date": "2025-01-01",
        "accounts": [{"name": "acme", "sales_api_key": "a"}],
    }
    assert (acme.name, set(acme.apis)) == ("acme", {"sales"})
    assert (globex.name, set(globex.apis)) == ("globex", {"sales", "workforce"})
    assert globex.config["accounts"][0]["sales_api_key"] == "g"
    assert globex.config["accounts"][0]["workforce_api_key"] == "$ACME_KEY"


def test_only_whole_texts_are_variables(tmp_path: Path) -> None:
    (acme,) = plan(
        tmp_path, f"{COMMON}\naccounts: [{{name: acme, sales_api_key: pa$$HOMEword$HOME}}]"
    )
    assert acme.config["accounts"][0]["sales_api_key"] == "pa$$HOMEword$HOME"


def test_aliases_and_merges_are_read(tmp_path: Path) -> None:
    text = f"""{COMMON}
accounts:
- &acme {{name: acme, sales_api_key: k, sales_page_size: 7}}
- {{<<: *acme, name: globex}}
"""
    assert [m.config["accounts"][0]["sales_page_size"] for m in plan(tmp_path, text)] == [7, 7]


def test_json_is_read_too(tmp_path: Path) -> None:
    text = '{"sales_base_url": "https://a", "accounts": [{"name": "a", "sales_api_key": "k"}]}'
    (a,) = plan(tmp_path, text)
    assert a.name == "a"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accounts: []", "has no 'accounts'"),
        ("- 1", "does not hold the tap's settings"),
        (f"accounts:\n- sales_api_key: '{CANARY}\n", "line 3, column 1"),
        (f"accounts: [{{name: a, sales_api_key: $NO_KEY}}]{COMMON}", "has no 'NO_KEY'"),
        (f"accounts: [{{name: a, sales_api_key: {CANARY}}}]", "there is no default host"),
        (f"accounts: [{{name: a, sales_api_keys: {CANARY}}}]{COMMON}", "'sales_api_key'?"),
        (f"accounts: [{{name: a b, sales_api_key: {CANARY}}}]{COMMON}", "needs a 'name'"),
        (
            f"accounts: [{{name: a, sales_api_key: k}}, {{name: a, sales_api_key: k}}]{COMMON}",
            "2 times",
        ),
        (f"accounts: [{{name: a, sales_api_key: k}}]\nreport_path: x{COMMON}", "'report_path'"),
        ("accounts: \0", "characters that YAML does not allow"),
        (f"accounts:\n- name: a\n  sales_api_key: {CANARY}\n  name: b{COMMON}", "line 4, column 3"),
        (f"accounts: []\naccounts: [{{name: a, sales_api_key: k}}]{COMMON}", "stands twice"),
        ('{"accounts": [{"name": "a", "name": "b"}]}', "stands twice"),
        (f"accounts: [{{name: a, sales_api_key: *{CANARY}}}]{COMMON}", "undefined alias"),
        (f"accounts: [{{name: a, sales_api_key: !{CANARY} k}}]{COMMON}", "a constructor for"),
        ("accounts: &all [{name: a}, *all]", "has an alias"),
        (f"accounts: [{{name: 7, sales_api_key: {CANARY}}}]{COMMON}", "unless it is in quotes"),
        (f"accounts: [{{name: no, sales_api_key: {CANARY}}}]{COMMON}", "unless it is in quotes"),
        (
            f"accounts: [{{name: a, sales_api_key: k}}, {{name: A, sales_api_key: k}}]{COMMON}",
            "'a' and 'A' need names that differ in more than case",
        ),
    ],
)
def test_mistakes_are_named_without_what_is_secret(tmp_path: Path, text: str, said: str) -> None:
    assert said in errors(tmp_path, text)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read: No such file"):
        read(tmp_path / "accounts.yaml", {})
