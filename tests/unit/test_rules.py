"""Which rule makes the post-mortem of which incident, and what a configuration of rules may say."""

from pathlib import Path

import pytest

from mapping.incident import Incident
from syncd.assembly import assemble
from syncd.errors import ConfigError
from syncd.rules import Rule, first_fit
from syncd.settings import load

RULES = [
    Rule("payments", "root-cause", severities=("SEV1",), fields={"team": ("Payments", "Billing"), "type": ("Production",)}),
    Rule("major", "standard", severities=("SEV1", "SEV2")),
    Rule("rest", "lightweight"),
]


@pytest.mark.parametrize(
    ("severity", "fields", "rule"),
    [
        ("SEV1", {"team": "payments", "type": "production"}, "payments"),
        ("SEV1", {"team": "Billing", "type": "Test"}, "major"),
        ("sev2", {"team": "Payments", "type": "Production"}, "major"),
        ("SEV3", {}, "rest"),
        ("", {}, "rest"),
    ],
)
def test_the_first_rule_that_fits_counts(severity: str, fields: dict[str, str], rule: str) -> None:
    found = first_fit(RULES, Incident("INC-1", "Checkout", severity=severity, custom_fields=fields))
    assert found is not None and found.name == rule


def test_where_no_rule_fits_there_is_none() -> None:
    assert first_fit(RULES[:2], Incident("INC-1", "Checkout", severity="SEV3")) is None


def configured(tmp_path: Path, rule: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(
        f"""[incidents]
severities = ["SEV1", "SEV2"]
[fields.team]
type = "select"
options = ["Payments"]
[providers.files]
kind = "folder"
[destinations.folder]
provider = "files"
path = "pages"
[[postmortems.rules]]
name = "major"
template = "standard"
{rule}
""",
        "utf-8",
    )
    return path


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ('destination = "foldr"', "did you mean 'folder'"),
        ('severities = ["SEV9"]', "none of incidents.severities"),
        ('fields = { team = ["Paymens"] }', "did you mean 'Payments'"),
        ('severitys = ["SEV1"]', "did you mean 'severities'"),
    ],
)
def test_a_rule_that_cannot_work_is_an_error_of_the_configuration(tmp_path: Path, rule: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(configured(tmp_path, rule))
    assert words in str(error.value) and "postmortems.rules.0" in str(error.value)


def test_a_rule_names_a_template_that_there_is(tmp_path: Path) -> None:
    path = configured(tmp_path, 'destination = "folder"')
    path.write_text(path.read_text("utf-8").replace('"standard"', '"standrad"'), "utf-8")
    with pytest.raises(ConfigError, match="did you mean 'standard'"):
        assemble(path, load(path), lambda per_minute: lambda seconds: None)
