"""The configuration: every field with its unit, default and reason; the file, the environment and credentials as one.

The environment beats credentials, credentials beat the file. `SYNCD_WEB__LISTEN` is `listen` in `[web]`; a name of your own
that holds `-` is written with `_`: `SYNCD_PROVIDERS__MY_WIKI__TOKEN`. A credential is a file of that name in
`$CREDENTIALS_DIRECTORY`. Every problem is told at once, with its file, key and reason.

What is checked here is what can be known without talking to a service; the rest is `syncd doctor`.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from syncd.errors import ConfigError
from syncd.settings_faces import NotifySettings, WebSettings
from syncd.settings_table import PREFIX, Seconds, Table, address, lower_keys, nearest, wrong

Kind = Literal["confluence", "notion", "folder"]
CARRIERS = ("incident", "status", "severity", "lead", "role:NAME", "time:NAME")

NOTION_URL = "https://api.notion.com"
OPTIONS: dict[str, tuple[str, ...]] = {
    "confluence": ("space", "parent"),
    "notion": ("data_source", "page", "properties", "create_properties"),
    "folder": ("path",),
}


class StoreSettings(Table):
    """Where the database is."""

    url: str = "sqlite:///syncd.db"
    """An SQLite file: `sqlite:///syncd.db` beside the configuration, `sqlite:////var/lib/syncd/syncd.db` absolute."""

    @field_validator("url")
    @classmethod
    def _sqlite(cls, url: str) -> str:
        if url.startswith(("postgresql:", "postgres:")):
            raise wrong("the store is an SQLite file; PostgreSQL is not supported")
        if not url.startswith("sqlite:///") or not url.removeprefix("sqlite:///"):
            raise wrong(f"'{url}' must look like sqlite:///syncd.db, or sqlite:////var/lib/syncd/syncd.db when absolute")
        return url


class TemplatesSettings(Table):
    """Your post-mortem templates."""

    directory: Path = Path("templates")
    """`*.toml`, one template a file, looked at again when one changes; the built-in ones lie beneath."""
    managed: bool | Literal["auto"] = "auto"
    """Whether something else writes these files, such as a deployment: then the web pages show the change to make instead of
    writing it. `auto`: when they lie in a Git work tree."""


class SyncSettings(Table):
    """When pages are looked at and written. All in seconds."""

    poll_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 30
    """Between two looks at pages where something happens; quiet ones are looked at less often by themselves."""
    debounce_seconds: Seconds = 20
    """Changes here to one page are gathered this long, so that five edits are one version. 0: at once."""
    fresh_seconds: Seconds = 60
    """`check` looks at the page itself when the last look is older than this."""
    row_still_seconds: Seconds = 60
    """A new or changed row counts when nobody has typed in it for this long: half-typed is not said. 0: at once."""
    quiet_seconds: Seconds = 120
    """Prose is written when nobody changed the page for this long, on services that could overwrite typing. 0: at once."""
    draft_hold_seconds: Seconds = 1800
    """A person's unpublished changes in Confluence always hold our writes to their page; after this long it is said, with
    the way out, because most are published before. 0: drafts are not looked at, Confluence merges or replaces them."""
    version_gap_seconds: Seconds = 600
    """Between two versions of ours that no person's publish asked for, because every version may send mail. 0: at once."""


class BrakeSettings(Table):
    """When syncd stops by itself and asks a person, because something looks wrong."""

    removed_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """A page that lost more than this share of its rows at once is halted (0.5 is half)."""
    removed_min: Annotated[int, Field(ge=1)] = 5
    """Pages with fewer rows than this are never halted for it: of two rows one may well go."""
    writes_per_hour: Annotated[int, Field(ge=1)] = 60
    """A page that we would write more often than this is halted: somebody, or some other program, answers every write."""


class IncidentsSettings(Table):
    """What incidents may say."""

    severities: tuple[str, ...] = ()
    """Allowed severities, worst first. Empty: anything."""


class FieldSettings(Table):
    """A custom field."""

    label: str = ""
    """As people read it on pages; by default the field's id."""
    type: Literal["text", "number", "select", "date"] = "text"
    """What a value must look like to be understood."""
    options: tuple[str, ...] = ()
    """The allowed values of a `select`."""

    @model_validator(mode="after")
    def _options_of_select(self) -> "FieldSettings":
        if (self.type == "select") != bool(self.options):
            raise wrong("a field of type 'select' needs options" if self.type == "select" else "only 'select' has options")
        return self


class RuleSettings(Table):
    """A rule that makes the post-mortem of an incident which enters its post-incident phase."""

    name: str
    """The journal names it as who made the post-mortem."""
    template: str
    """The template that is used."""
    destination: str = ""
    """Where it is written. Empty: where the template says."""
    severities: tuple[str, ...] = ()
    """Only for incidents with one of these. Empty: with any, or none."""
    fields: Mapping[str, tuple[str, ...]] = Field({})
    """Only for incidents whose custom fields (`team`, `type`) have one of these values, each of the named ones."""


class PostmortemsSettings(Table):
    """How post-mortems come about by themselves."""

    rules: tuple[RuleSettings, ...] = ()
    """Asked in this order when an incident enters `post_incident`; the first that fits makes the post-mortem."""


class ProviderSettings(Table):
    """A knowledge base with one credential."""

    kind: Kind
    """`confluence`, `notion` or `folder` (Markdown files)."""
    edition: Literal["cloud", "data-center"] = "cloud"
    """Confluence only: `cloud`, or `data-center` for a server of one's own."""
    url: str = ""
    """The service's address: `https://example.atlassian.net/wiki`, or a Data Center site's base URL; for Notion it is
    known."""
    user: str = ""
    """Confluence only: the e-mail address of the account that the API token belongs to; the username for a password in Data
    Center. Empty for a token that is sent by itself, such as a personal access token."""
    token: SecretStr = SecretStr("")
    """The API token; better in the environment or a credential than in the file."""
    requests_per_minute: Annotated[float, Field(gt=0)] | None = None
    """Our own limit below the service's. Default by kind: Confluence 600, Notion 180."""
    settle_seconds: Seconds | None = None
    """How long a page whose creation got no answer may still appear before it is created again. Default by kind."""

    @field_validator("kind", mode="before")
    @classmethod
    def _known_kind(cls, kind: object) -> object:
        if kind == "google_docs":
            raise wrong("Google Docs is not supported; use confluence, notion or folder")
        if kind not in get_args(Kind):
            raise wrong(f"'{kind}' is not one of {', '.join(get_args(Kind))}{nearest(str(kind), get_args(Kind))}")
        return kind

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "ProviderSettings":
        foreign = {"notion": ("edition", "user"), "folder": ("edition", "url", "user", "token")}.get(self.kind, ())
        misplaced = next((name for name in foreign if name in self.model_fields_set), None)
        if misplaced:
            raise wrong(f"a provider of kind '{self.kind}' has no '{misplaced}'")
        if self.kind == "confluence" and not self.url:
            raise wrong("url is missing: the site's address, such as https://example.atlassian.net/wiki")
        url = self.url or (NOTION_URL if self.kind == "notion" else "")
        object.__setattr__(self, "url", address(url) if url else "")
        return self


def _mapping(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _carrier(name: str) -> str:
    kind, _, rest = name.partition(":")
    if name not in CARRIERS[:4] and not (kind in ("role", "time") and rest):
        raise wrong(f"'{name}' is not one of {', '.join(CARRIERS)}{nearest(name, CARRIERS[:4])}")
    return name


class PropertySettings(Table):
    """A property of a Notion data source: a name, or a table with the names of its options too."""

    name: str = ""
    in_progress: str = ""
    in_review: str = ""
    completed: str = ""


class DestinationSettings(Table):
    """A place of a provider where post-mortems are written."""

    provider: str
    """The name of one of `[providers]`."""
    space: str = ""
    """Confluence: the space's key, its id, or a pasted link."""
    parent: str = ""
    """Confluence: the page below which new ones appear, as an id or a pasted link. Empty: the space's home page."""
    data_source: str = ""
    """Notion: the data source (database) that holds the pages, as an id or a pasted link."""
    page: str = ""
    """Notion: the page below which new ones appear, instead of a data source."""
    path: str = ""
    """Folder: the directory, relative to the configuration."""
    private: bool = False
    """Whether private incidents may be written here."""
    after_completed: Literal["in_step", "follow_ups_only", "frozen"] = "in_step"
    """What is still kept in step once the post-mortem is completed."""
    mapped: dict[Annotated[str, AfterValidator(_carrier)], Annotated[PropertySettings, BeforeValidator(_mapping)]] = Field(
        {}, alias="properties"
    )
    """Notion: which properties carry `incident`, `status` and `severity` (default: those of these names), and, when said,
    `lead`, `role:NAME` (people) and `time:NAME` (dates)."""
    create_properties: bool = False
    """Notion: whether properties that the data source lacks are made. It changes everybody's table, so only if said."""

    @property
    def options(self) -> Mapping[str, str]:
        """Where pages go, as the provider understands it."""
        names = ("space", "parent", "data_source", "page", "path")
        given = {name: getattr(self, name) for name in names if getattr(self, name)}
        return given | ({"create_properties": "true"} if self.create_properties else {})

    @property
    def properties(self) -> Mapping[str, Mapping[str, str]]:
        """The mapped properties as plain text, without what was not said."""
        return {name: {k: v for k, v in mapped.model_dump().items() if v} for name, mapped in self.mapped.items()}

    def misfit(self, kind: str) -> str:
        """What is wrong with this destination for a provider of this kind, else nothing."""
        said = self.model_fields_set - {"provider", "private", "after_completed"}
        names = {"properties" if name == "mapped" else name for name in said if getattr(self, name)}
        foreign = sorted(names - set(OPTIONS[kind]))
        if foreign:
            return f"a destination in a {kind} provider has no '{foreign[0]}', only {', '.join(OPTIONS[kind])}"
        if kind == "notion":
            return "" if bool(self.data_source) != bool(self.page) else "needs either 'data_source' or 'page'"
        needed = OPTIONS[kind][0]
        return "" if needed in names else f"needs '{needed}'"


class Settings(BaseSettings):
    """Everything that one configuration says. Paths are absolute."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=PREFIX, env_nested_delimiter="__", use_attribute_docstrings=True
    )

    timezone: str = "UTC"
    """In which new post-mortems show times: an IANA name. Frozen when a post-mortem is created."""
    store: StoreSettings = StoreSettings()
    web: WebSettings = WebSettings()
    notify: NotifySettings = NotifySettings()
    templates: TemplatesSettings = TemplatesSettings()
    sync: SyncSettings = SyncSettings()
    brakes: BrakeSettings = BrakeSettings()
    incidents: IncidentsSettings = IncidentsSettings()
    postmortems: PostmortemsSettings = PostmortemsSettings()
    fields: dict[str, FieldSettings] = {}
    """Custom fields by id."""
    people: Annotated[dict[str, dict[str, str]], BeforeValidator(lower_keys)] = {}
    """By e-mail: the account id per provider, only where the service does not find the account by e-mail."""
    providers: dict[str, ProviderSettings] = {}
    """Knowledge bases by a name of your own."""
    destinations: dict[str, DestinationSettings] = {}
    """Places by a name of your own; templates and commands use it."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment, then credentials, then what `load` read from the file."""
        credentials = NestedSecretsSettingsSource(
            file_secret_settings,
            secrets_dir=os.environ.get("CREDENTIALS_DIRECTORY"),
            secrets_dir_missing="ok",
            secrets_prefix=PREFIX,
            secrets_nested_delimiter="__",
        )
        return env_settings, credentials, init_settings

    @property
    def database(self) -> Path:
        """The database's file."""
        return Path(self.store.url.removeprefix("sqlite:///"))

    @model_validator(mode="before")
    @classmethod
    def _own_names(cls, values: dict[str, Any]) -> dict[str, Any]:
        tables = ("providers", "destinations", "fields")
        folded = {name: _folded(values[name]) for name in tables if isinstance(values.get(name), dict)}
        for name, inner in (("web", "tokens"), ("notify", "webhooks")):
            table = values.get(name)
            if isinstance(table, dict) and isinstance(table.get(inner), dict):
                folded[name] = table | {inner: _folded(table[inner])}
        return values | folded

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            reason = f"'{name}' is not a time zone{nearest(name, sorted(available_timezones()))}"
            raise wrong(reason) from None
        return name


def _folded(table: dict[str, Any]) -> dict[str, Any]:
    """Names from the environment, in lower case and with `_`, are the file's names where one differs only in that."""
    plain = {name.lower().replace("-", "_"): name for name in table if name != name.lower().replace("-", "_")}
    folded = dict(table)
    for alias, name in plain.items():
        extra = folded.pop(alias, None)
        if isinstance(extra, dict) and isinstance(folded[name], dict):
            folded[name] = folded[name] | extra
    return folded


# --- loading ----------------------------------------------------------------------------------------------------------


def load(path: Path) -> Settings:
    """The configuration of this file with the environment and credentials over it. Raises ConfigError with all problems."""
    table = _read(path)
    try:
        settings = Settings(**table)
    except ValidationError as error:
        raise ConfigError([_sentence(path, problem) for problem in error.errors()], "") from error
    problems = [f"{path}: {problem}" for problem in _across(settings)]
    if problems:
        raise ConfigError(problems, "")
    return _absolute(settings, path.absolute().parent)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ConfigError([f"There is no configuration at {path}."], "syncd init") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read: {error}"], "") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: not TOML: {error}"], "") from error


def _across(settings: Settings) -> Iterator[str]:
    """What no table can see by itself: names of providers, and what destinations need there."""
    known = list(settings.providers)
    for name, destination in settings.destinations.items():
        if destination.provider not in known:
            meant = nearest(destination.provider, known)
            yield f"destinations.{name}.provider: there is no provider '{destination.provider}'{meant}"
        elif misfit := destination.misfit(settings.providers[destination.provider].kind):
            yield f"destinations.{name}: {misfit}"
    for number, rule in enumerate(settings.postmortems.rules):
        yield from (f"postmortems.rules.{number}.{problem}" for problem in _of_rule(rule, settings))
    for email, accounts in settings.people.items():
        for provider in accounts:
            if provider not in known:
                yield f"people.\"{email}\".{provider}: there is no provider '{provider}'{nearest(provider, known)}"


def _of_rule(rule: RuleSettings, settings: Settings) -> Iterator[str]:
    """What a rule names that is nowhere else."""
    places, severities = list(settings.destinations), settings.incidents.severities
    if rule.destination and rule.destination not in places:
        yield f"destination: there is no destination '{rule.destination}'{nearest(rule.destination, places)}"
    for severity in rule.severities:
        if severities and severity not in severities:
            yield f"severities: '{severity}' is none of incidents.severities{nearest(severity, severities)}"
    for name, values in rule.fields.items():
        options = settings.fields[name].options if name in settings.fields else ()
        for value in values:
            if options and value not in options:
                yield f"fields.{name}: '{value}' is none of its options{nearest(value, options)}"


def _absolute(settings: Settings, base: Path) -> Settings:
    """Relative paths are relative to the file."""
    store = StoreSettings(url=f"sqlite:///{base / settings.database}")
    templates = settings.templates.model_copy(update={"directory": base / settings.templates.directory.expanduser()})
    return settings.model_copy(update={"store": store, "templates": templates})


def _sentence(path: Path, problem: Mapping[str, Any]) -> str:
    where = tuple(part for part in problem["loc"])
    key = ".".join(f'"{part}"' if isinstance(part, str) and "." in part else str(part) for part in where)
    variable = PREFIX + "__".join(str(part) for part in where).replace("-", "_").upper()
    source = f"environment variable {variable}" if variable in {name.upper() for name in os.environ} else str(path)
    return f"{source}: {key}: {_reason(where, problem)}" if key else f"{source}: {_reason(where, problem)}"


def _reason(where: tuple[Any, ...], problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return f"unknown key{nearest(str(where[-1]), _siblings(where[:-1]))}"
    if problem["type"] == "missing":
        return "is missing"
    message = str(problem["msg"])
    return message[0].lower() + message[1:] if problem["type"] != "syncd" else message


def _siblings(where: Sequence[Any]) -> list[str]:
    """The keys that a table knows: tables are found along the path, `[providers.wiki]` through its kind of table."""
    model: Any = Settings
    for part in where:
        if isinstance(model, type) and issubclass(model, BaseModel):
            field = next((f for name, f in model.model_fields.items() if part in (name, f.alias)), None)
            model = field.annotation if field else None
        else:
            inner = [argument for argument in get_args(model) if argument is not ...]
            model = inner[-1] if inner else None
        while get_args(model) and getattr(model, "__metadata__", None):
            model = get_args(model)[0]
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [field.alias or name for name, field in model.model_fields.items()]
