"""The configuration: what a file, the environment and credentials say together, and how mistakes are told."""

from pathlib import Path
from typing import Any

import pytest

from syncd.errors import ConfigError
from syncd.settings import load

WIKI = """
[providers.my-wiki]
kind = "confluence"
url = "https://example.atlassian.net/wiki/"
user = "bot@example.com"
[destinations.ops]
provider = "my-wiki"
space = "OPS"
"""


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text)
        return path

    return write


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load(path)
    assert raised.value.exit_code == 2
    return [problem.removeprefix(f"{path}: ") for problem in raised.value.problems]


def test_an_empty_file_is_a_configuration(configuration: Any, tmp_path: Path) -> None:
    settings = load(configuration(""))
    assert settings.database == tmp_path / "syncd.db"
    assert settings.templates.directory == tmp_path / "templates"
    assert (settings.timezone, settings.web.listen, settings.sync.poll_seconds) == ("UTC", "127.0.0.1:8470", 30)
    assert (settings.brakes.removed_share, settings.brakes.removed_min, settings.brakes.writes_per_hour) == (0.5, 5, 60)


def test_paths_are_relative_to_the_file_unless_absolute(configuration: Any, tmp_path: Path) -> None:
    settings = load(configuration('[store]\nurl = "sqlite:///data/x.db"\n[templates]\ndirectory = "../t"'))
    assert settings.database == tmp_path / "data/x.db"
    assert settings.templates.directory == tmp_path / "../t"
    absolute = load(configuration('[store]\nurl = "sqlite:////var/lib/syncd/syncd.db"'))
    assert absolute.database == Path("/var/lib/syncd/syncd.db")


def test_environment_beats_credentials_beat_the_file(
    configuration: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = configuration(WIKI + "[sync]\npoll_seconds = 5\nquiet_seconds = 6\n")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "SYNCD_PROVIDERS__MY_WIKI__TOKEN").write_text("secret\n")
    (credentials / "SYNCD_SYNC__POLL_SECONDS").write_text("7")
    (credentials / "of-somebody-else").write_text("x")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    monkeypatch.setenv("SYNCD_SYNC__POLL_SECONDS", "8")
    monkeypatch.setenv("SYNCD_CONFIG", str(path))
    settings = load(path)
    assert list(settings.providers) == ["my-wiki"]
    assert settings.providers["my-wiki"].token.get_secret_value() == "secret"
    assert (settings.sync.poll_seconds, settings.sync.quiet_seconds) == (8, 6)


def test_a_secret_is_never_shown(configuration: Any) -> None:
    settings = load(configuration('[web]\ntoken = "hush"\n[providers.n]\nkind = "notion"\ntoken = "hush"'))
    assert "hush" not in repr(settings)
    assert "hush" not in settings.model_dump_json()
    told = problems(configuration('[web]\ntoken = "hush"\n[providers.n]\nkind = "notion"\ntoken = "hush"\nuser = "x"'))
    assert "hush" not in "".join(told)


def test_addresses_are_tidied(configuration: Any) -> None:
    assert load(configuration(WIKI)).providers["my-wiki"].url == "https://example.atlassian.net/wiki"
    bare = load(configuration(WIKI.replace(".net/wiki/", ".net")))
    assert bare.providers["my-wiki"].url == "https://example.atlassian.net/wiki"
    notion = load(configuration('[providers.n]\nkind = "notion"'))
    assert notion.providers["n"].url == "https://api.notion.com"


def test_a_place_is_what_its_provider_understands(configuration: Any) -> None:
    text = """
    [providers.n]
    kind = "notion"
    [destinations.notes]
    provider = "n"
    data_source = "abc"
    [destinations.notes.properties]
    status = {name = "Stage", completed = "Done"}
    incident = "Ref"
    [people."Ada@Example.com"]
    n = "account"
    """
    settings = load(configuration(text))
    assert settings.destinations["notes"].options == {"data_source": "abc"}
    assert settings.destinations["notes"].properties == {
        "status": {"name": "Stage", "completed": "Done"},
        "incident": {"name": "Ref"},
    }
    assert settings.people == {"ada@example.com": {"n": "account"}}


NOTION = '[providers.n]\nkind = "notion"\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('timezon = "UTC"', "timezon: unknown key, did you mean 'timezone'?"),
        ('timezone = "Europe/Berlim"', "timezone: 'Europe/Berlim' is not a time zone, did you mean 'Europe/Berlin'?"),
        ("[sync]\npol_seconds = 1", "sync.pol_seconds: unknown key, did you mean 'poll_seconds'?"),
        ("[sync]\npoll_seconds = 0", "sync.poll_seconds: input should be greater than 0"),
        ('[sync]\nquiet_seconds = "soon"', "sync.quiet_seconds: input should be a valid number"),
        ("[brakes]\nremoved_share = 2", "brakes.removed_share: input should be less than or equal to 1"),
        ('[store]\nurl = "postgresql://x/y"', "store.url: the store is an SQLite file; PostgreSQL is not supported"),
        ('[store]\nurl = "syncd.db"', "store.url: 'syncd.db' must look like sqlite:///syncd.db"),
        ('[web]\nlisten = "8470"', "web.listen: '8470' must be host:port"),
        ('[web]\nlisten = "0.0.0.0:8470"', "web: listening on 0.0.0.0 needs a token"),
        ('[web]\npublic_url = "example.com"', "web.public_url: 'example.com' is not an address"),
        ('[fields.f]\ntype = "select"', "fields.f: a field of type 'select' needs options"),
        ('[fields.f]\nlable = "x"', "fields.f.lable: unknown key, did you mean 'label'?"),
        ("[providers.p]", "providers.p.kind: is missing"),
        ('[providers.p]\nkind = "confluense"', "'confluense' is not one of confluence, notion, folder, did you mean"),
        ('[providers.p]\nkind = "google_docs"', "providers.p.kind: Google Docs is not supported"),
        (
            '[providers.p]\nkind = "confluence"\nurl = "http://x"\nedition = "server"',
            "providers.p.edition: ",
        ),
        ('[providers.p]\nkind = "confluence"', "providers.p: url is missing"),
        ('[providers.p]\nkind = "notion"\nurl = "api"', "providers.p: 'api' is not an address"),
        ('[providers.p]\nkind = "notion"\nuser = "x"', "providers.p: a provider of kind 'notion' has no 'user'"),
        ('[providers.p]\nkind = "notion"\ntokn = "x"', "providers.p.tokn: unknown key, did you mean 'token'?"),
        (NOTION + '[destinations.d]\nprovider = "m"', "destinations.d.provider: there is no provider 'm'"),
        (NOTION + '[destinations.d]\nprovider = "n"', "destinations.d: needs either 'data_source' or 'page'"),
        (NOTION + '[destinations.d]\nprovider = "n"\npage = "x"\nspace = "y"', "in a notion provider has no 'space'"),
        (NOTION + '[destinations.d]\nprovider = "n"\npage = "x"\npravate = true', "did you mean 'private'?"),
        (
            NOTION + '[destinations.d]\nprovider = "n"\npage = "x"\nafter_completed = "gone"',
            "after_completed: ",
        ),
        (NOTION + '[destinations.d]\nprovider = "n"\npage = "x"\nproperties.sttus = "S"', "destinations.d.properties.sttus"),
        (NOTION + '[people."ada@example.com"]\nnn = "x"', "people.\"ada@example.com\".nn: there is no provider 'nn'"),
        ("= 3", "not TOML: "),
    ],
)
def test_a_mistake_is_named_with_its_key(configuration: Any, text: str, problem: str) -> None:
    (told,) = problems(configuration(text))
    assert problem in told


def test_every_mistake_is_told_at_once(configuration: Any) -> None:
    text = 'timezone = "X/Y"\n[sync]\na = 1\nb = 2\n[providers.p]\nkind = "x"'
    assert [line.partition(":")[0] for line in problems(configuration(text))] == [
        "timezone",
        "sync.a",
        "sync.b",
        "providers.p.kind",
    ]


def test_a_mistake_in_the_environment_names_the_variable(configuration: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCD_SYNC__POLL_SECONDS", "often")
    (told,) = problems(configuration(""))
    assert told.startswith("environment variable SYNCD_SYNC__POLL_SECONDS: sync.poll_seconds: ")


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no configuration at") as raised:
        load(tmp_path / "none.toml")
    assert raised.value.hint == "syncd init"


PROXY = '[web]\nlisten = "0.0.0.0:80"\n[web.proxy]\nheader = "X-Email"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[web]\nlisten = "0.0.0.0:80"', "listening on 0.0.0.0 needs a token"),
        ('[web]\nlisten = "127.evil.example:80"', "listening on 127.evil.example needs a token"),
        (PROXY, "'header' needs 'addresses'"),
        (PROXY + 'addresses = ["10.0.0.5"]', "web.proxy needs web.public_url"),
        (PROXY + 'addresses = ["everywhere"]', "'everywhere' is not an address"),
        (PROXY + 'addresses = ["10.0.0.5"]\nrole = "root"', "'read', 'write' or 'admin'"),
        ('[web.tokens.ci]\nrole = "read"', "16 characters or more"),
        ('[web.tokens.ci]\nrole = "read"\nsecret = "hush"', "16 characters or more"),
        ('[web.tokens.ci]\nsecret = "hush hush hush hush"', "web.tokens.ci.role: is missing"),
        ('[web.tokens.ci]\nrole = "read"\nsecert = "hush hush hush hush"', "did you mean 'secret'?"),
        (
            '[web]\ntoken = "hush hush hush hush"\n[web.tokens.ci]\nrole = "read"\nsecret = "hush hush hush hush"',
            "two tokens have the same secret",
        ),
    ],
)
def test_who_may_ask_is_said_before_anybody_else_is_listened_to(configuration: Any, text: str, told: str) -> None:
    found = problems(configuration(text))
    assert told in "\n".join(found) and "hush" not in "".join(found)


def test_a_token_may_come_from_the_environment(configuration: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCD_WEB__TOKENS__CI_BOT__SECRET", "hush hush hush hush")
    settings = load(
        configuration('[web]\nlisten = "0.0.0.0:80"\n[web.tokens.ci-bot]\nrole = "read"\nemail = "CI@example.com"')
    )
    assert settings.web.tokens["ci-bot"].secret.get_secret_value() == "hush hush hush hush"
    assert (settings.web.tokens["ci-bot"].email, settings.web.guarded) == ("ci@example.com", True)
    assert "hush" not in repr(settings) + settings.model_dump_json()
