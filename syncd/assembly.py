"""From a configuration to running parts: providers by kind, destinations, store, engine, use-cases.

The only place that names concrete providers. What the settings mean is said in `settings.py`; which process runs the parts
is `syncd/cli`'s and `running.py`'s business.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mapping.rows import FieldSpec
from providers.confluence import Confluence
from providers.confluence_cloud import ConfluenceCloud
from providers.confluence_data_center import ConfluenceDataCenter
from providers.confluence_wire import Wire
from providers.contract import Place, Provider, ProviderError
from providers.folder import Folder
from providers.mail import MailServer
from providers.notion import Notion
from providers.transport import Budget
from providers.webhook import Target
from syncd.app import App
from syncd.broken import Broken
from syncd.daemon import Pace, Parts
from syncd.errors import ConfigError, Misuse
from syncd.links import Named, page_named
from syncd.lock import SingleProcess
from syncd.notify.channels import Channels
from syncd.notify.mails import Post
from syncd.notify.webhooks import Hook
from syncd.pausing import paused_by
from syncd.reconcile import Destination, Limits, Reconciler
from syncd.resources import templates
from syncd.rules import Rule
from syncd.settings import DestinationSettings, ProviderSettings, Settings
from syncd.settings_faces import WebhookSettings
from syncd.settings_table import nearest
from syncd.store import Store
from syncd.templates import TemplateLibrary
from syncd.ways_out import paused
from syncd.wording import House, Wording
from syncd.work import Connection

PER_MINUTE = {"confluence": 600.0, "notion": 180.0, "folder": 1_000_000.0}
SETTLE_SECONDS = 120.0  # how long a create with a lost reply may still appear
Sleeper = Callable[[float], Callable[[float], None]]  # requests a minute -> how that provider waits


@dataclass(frozen=True, slots=True)
class Assembly:
    """Everything that one configuration is built into."""

    config: Path
    settings: Settings
    store: Store
    library: TemplateLibrary
    app: App

    @property
    def destinations(self) -> Mapping[str, Destination]:
        """The configured places by name."""
        return self.app.destinations

    def named(self, link: str, to: str = "") -> Named:
        """The page behind a pasted link. Raises Misuse when it is nobody's, and where people paused its place."""
        pauses = {name: paused_by(self.app, name) for name in self.destinations}
        if pause := pauses.get(to):
            raise Misuse(paused(pause), f"syncd resume {pause.name}")
        return page_named(link, to, {name: place for name, place in self.destinations.items() if not pauses[name]})

    def alone(self) -> AbstractContextManager[object]:
        """Held while pages are worked on. Raises Misuse beside a living daemon or `once`."""
        return SingleProcess(self.store.path) if self.store.path else nullcontext()

    def living(self) -> int | None:
        """The process id of a living daemon or `once`."""
        return SingleProcess(self.store.path).held_by() if self.store.path else None

    def parts(self) -> Parts:
        """What the daemon runs: looks are hurried along when something is saved in a folder of pages."""
        sync = self.settings.sync
        pace = Pace(timedelta(seconds=sync.poll_seconds), timedelta(seconds=sync.debounce_seconds))
        folders = dict.fromkeys(self.page_folders(), _nothing)
        return Parts(self.destinations, self.app.reconciler, self.store, pace, folders, self.channels)

    @property
    def channels(self) -> Channels:
        """By which people and programs are told."""
        return _channels(self.settings)

    def page_folders(self) -> list[Path]:
        """The folders whose files are pages."""
        settings = self.settings
        named = settings.destinations.values()
        return [_folder(self.config, d) for d in named if settings.providers[d.provider].kind == "folder"]

    def close(self) -> None:
        """End the store's connection."""
        self.store.close()


def _nothing() -> None:
    """A page's folder changed: that the daemon looks is all."""


def wall_clock() -> datetime:
    """The real time, zone-aware."""
    return datetime.now(UTC)


def assemble(
    config: Path,
    settings: Settings,
    sleeper: Sleeper,
    *,
    store: Store | None = None,
    now: Callable[[], datetime] = wall_clock,
    monotonic: Callable[[], float] = time.monotonic,
) -> Assembly:
    """Build everything; nothing is contacted yet. `store`: one that is open already. Raises ConfigError for a rule without
    its template, StoreError where the database cannot be used."""
    managed = None if settings.templates.managed == "auto" else settings.templates.managed
    library = TemplateLibrary(settings.templates.directory, templates(), managed)
    library.reload()
    rules = _rules(settings, library)
    store = store or Store.open(settings.database, now)
    connections = {
        name: _connection(name, provider, settings, config, sleeper, now, monotonic)
        for name, provider in settings.providers.items()
    }
    turns = {name: threading.RLock() for name in connections}  # the daemon's workers and the gate share a provider
    destinations = {name: _destination(name, d, connections, turns) for name, d in settings.destinations.items()}
    wording = Wording(store, _words(settings))
    reconciler = Reconciler(store, destinations, wording, _limits(settings))
    app = App(store, reconciler, wording, library, timedelta(seconds=settings.sync.fresh_seconds), rules, connections)
    return Assembly(config, settings, store, library, app)


def _words(settings: Settings) -> House:
    fields = {name: FieldSpec(f.label or name, f.type, tuple(f.options)) for name, f in settings.fields.items()}
    return House(settings.timezone, tuple(settings.incidents.severities), fields, settings.web.public_url)


def _rules(settings: Settings, library: TemplateLibrary) -> list[Rule]:
    known = [template.id for template in library.all()]
    rules = [
        Rule(r.name, r.template, r.destination, r.severities, {name: tuple(values) for name, values in r.fields.items()})
        for r in settings.postmortems.rules
    ]
    wrong = [
        f"The rule {rule.name} names no template: '{rule.template}'{nearest(rule.template, known)}"
        for rule in rules
        if rule.template not in known
    ]
    if wrong:
        raise ConfigError(wrong, "syncd template list")
    return rules


def _channels(settings: Settings) -> Channels:
    notify, web = settings.notify, settings.web
    hooks = [_hook(name, hook) for name, hook in notify.webhooks.items()]
    mail = notify.mail
    seeing = {token.email for token in web.tokens.values() if token.private} | set(web.private_viewers)
    post = Post(mail.sender, mail.to, mail.people, timedelta(minutes=mail.digest_minutes), frozenset(seeing - {""}))
    server = MailServer(mail.server, mail.user, mail.password.get_secret_value()) if mail.server else None
    return Channels(web.public_url, notify.page_comments, tuple(hooks), post, server)


def _hook(name: str, hook: WebhookSettings) -> Hook:
    secrets = (hook.secret.get_secret_value(), hook.secret_before.get_secret_value())
    target = Target(hook.url, inside=hook.private_addresses)
    return Hook(name, target, tuple(secret for secret in secrets if secret), hook.events, hook.private)


def _limits(settings: Settings) -> Limits:
    sync, brakes = settings.sync, settings.brakes
    return Limits(
        row_still=timedelta(seconds=sync.row_still_seconds),
        quiet=timedelta(seconds=sync.quiet_seconds),
        version_gap=timedelta(seconds=sync.version_gap_seconds),
        draft_hold=timedelta(seconds=sync.draft_hold_seconds),
        removed_share=brakes.removed_share,
        removed_min=brakes.removed_min,
        writes_per_hour=brakes.writes_per_hour,
    )


def _destination(
    name: str,
    settings: DestinationSettings,
    connections: Mapping[str, Connection],
    turns: Mapping[str, AbstractContextManager[object]],
) -> Destination:
    place = Place(name, settings.options, settings.properties)
    provider, turn = connections[settings.provider].provider, turns[settings.provider]
    return Destination(name, provider, place, settings.private, settings.after_completed, settings.provider, turn)


# --- providers by kind --------------------------------------------------------------------------------------------------


def _connection(
    name: str,
    settings: ProviderSettings,
    everything: Settings,
    config: Path,
    sleeper: Sleeper,
    now: Callable[[], datetime],
    monotonic: Callable[[], float],
) -> Connection:
    per_minute = settings.requests_per_minute or PER_MINUTE[settings.kind]
    budget = Budget(per_minute, monotonic, sleeper(per_minute))
    accounts = {email: known[name] for email, known in everything.people.items() if name in known}
    try:
        provider = _made(settings, config, accounts, budget, now)
    except ProviderError as error:
        provider = Broken(f"the provider {name} cannot be used: {error}")
    return Connection(name, settings.kind, settings.url, provider, budget)


def _made(
    settings: ProviderSettings,
    config: Path,
    accounts: Mapping[str, str],
    budget: Budget,
    now: Callable[[], datetime],
) -> Provider:
    if settings.kind == "folder":
        return Folder(config.parent)
    token = settings.token.get_secret_value()
    settle = SETTLE_SECONDS if settings.settle_seconds is None else settings.settle_seconds
    if settings.kind == "notion":
        return Notion(url=settings.url, token=token, accounts=accounts, budget=budget, now=now, settle_seconds=settle)
    wire = Wire(settings.url, settings.user, token, budget, now)
    edition = ConfluenceDataCenter if settings.edition == "data-center" else ConfluenceCloud
    return Confluence(edition(settings.url, wire), accounts=accounts, now=now, settle_seconds=settle)


def _folder(config: Path, destination: DestinationSettings) -> Path:
    return (config.parent / destination.options.get("path", ".")).resolve()
