"""The faces' part of the configuration: `[web]`, who may do what there, and `[notify]`, who is told."""

from ipaddress import ip_address, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator

from syncd.settings_table import PREFIX, Table, address, lower_keys, wrong
from syncd.store.outbox import Event
from syncd.viewer import Role

SECRET_LENGTH = 16
Email = Annotated[str, AfterValidator(str.lower)]


def is_loopback(host: str) -> bool:
    """Whether this name or address is always this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class TokenSettings(Table):
    """A token by a name of your own: who has it is a person or a robot of that name."""

    role: Role
    """`read`, `write` (changes incidents) or `admin` (changes settings too)."""
    secret: SecretStr = Field(SecretStr(""), validate_default=True)
    """What is shown: at least 16 characters, better in the environment or a credential than in the file."""
    email: Email = ""
    """Of the person or robot: under which incidents know them. Empty: the token's name stands in the journal."""
    private: bool = False
    """Whether private incidents are shown that do not name this e-mail."""

    @field_validator("secret")
    @classmethod
    def _not_guessed(cls, secret: SecretStr) -> SecretStr:
        return long_enough(secret)


def long_enough(secret: SecretStr) -> SecretStr:
    """A secret that nobody guesses."""
    if len(secret.get_secret_value()) < SECRET_LENGTH:
        raise wrong(f"a secret needs {SECRET_LENGTH} characters or more: `openssl rand -hex 32` makes one")
    return secret


def _network(given: str) -> str:
    try:
        return str(ip_network(given))
    except ValueError as error:
        raise wrong(f"'{given}' is not an address such as 10.0.0.5 or a network such as 10.0.0.0/24") from error


class ProxySettings(Table):
    """A reverse proxy that signs people in and tells who they are."""

    header: str = ""
    """The header that carries the e-mail, such as `X-Forwarded-Email`; the proxy must remove it from what clients send.
    Empty: there is no such proxy."""
    addresses: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    """From where that header is believed: addresses and networks. From anywhere else it means nothing."""
    role: Role = "read"
    """Of everybody whom the proxy lets in."""
    roles: Annotated[dict[str, Role], BeforeValidator(lower_keys)] = Field(default_factory=dict)
    """By e-mail: who has another role."""

    @model_validator(mode="after")
    def _whole(self) -> "ProxySettings":
        if self.header and not self.addresses:
            raise wrong("'header' needs 'addresses': from where it is believed, such as [\"127.0.0.1\"]")
        return self


class WebSettings(Table):
    """The HTTP API and the web pages."""

    listen: str = "127.0.0.1:8470"
    """Host and port; empty: no HTTP. Anything but the loopback needs a token, because whoever reaches it could edit."""
    public_url: str = ""
    """The address at which people reach the pages. Empty: keys on pages are plain text, otherwise they are links."""
    token: SecretStr = SecretStr("")
    """One token for everything, private incidents included. With no token and no proxy nothing is asked for, and only the
    loopback may be listened on."""
    tokens: dict[str, TokenSettings] = Field(default_factory=dict)
    """Tokens by a name of your own."""
    proxy: ProxySettings = ProxySettings()
    """A reverse proxy that signs people in."""
    private_viewers: tuple[Email, ...] = ()
    """E-mails of those who see every private incident. Others see those that name them: lead, roles, assignees."""

    @field_validator("listen")
    @classmethod
    def _address(cls, listen: str) -> str:
        host, _, port = listen.rpartition(":")
        if listen and not (host and port.isdecimal() and int(port) < 65536):
            raise wrong(f"'{listen}' must be host:port, such as 127.0.0.1:8470")
        return listen

    @field_validator("public_url")
    @classmethod
    def _public(cls, url: str) -> str:
        return address(url) if url else url

    @property
    def guarded(self) -> bool:
        """Whether anybody is asked who they are."""
        return bool(self.token.get_secret_value() or self.tokens or self.proxy.header)

    @model_validator(mode="after")
    def _asks_who(self) -> "WebSettings":
        host = self.listen.rpartition(":")[0].strip("[]")
        if host and not is_loopback(host) and not self.guarded:
            ways = f"set web.token or {PREFIX}WEB__TOKEN, [web.tokens.NAME] or [web.proxy]"
            raise wrong(f"listening on {host} needs a token; {ways}, or listen on 127.0.0.1")
        if self.proxy.header and not self.public_url:
            raise wrong("web.proxy needs web.public_url: the address at which people reach the proxy")
        secrets = [self.token, *(token.secret for token in self.tokens.values())]
        shown = [secret.get_secret_value() for secret in secrets if secret]
        if len(set(shown)) < len(shown):
            raise wrong("two tokens have the same secret")
        return self


class WebhookSettings(Table):
    """A program that is told, by a name of your own."""

    url: str
    """Where messages are posted: an address that begins with https://. Redirects are not followed."""
    secret: SecretStr = Field(SecretStr(""), validate_default=True)
    """What messages are signed with: at least 16 characters, better in the environment or a credential than in the file."""
    secret_before: SecretStr = SecretStr("")
    """The secret before that one, while receivers still know only that: messages then carry both signatures."""
    events: tuple[Event, ...] = ()
    """Which events. Empty: all."""
    private: bool = False
    """Whether it is told of private incidents."""
    private_addresses: bool = False
    """Whether the address may be in a private network or on this machine, and begin with http://."""

    @field_validator("secret")
    @classmethod
    def _not_guessed(cls, secret: SecretStr) -> SecretStr:
        return long_enough(secret)

    @model_validator(mode="after")
    def _address(self) -> "WebhookSettings":
        schemes = ("https", "http") if self.private_addresses else ("https",)
        parts = urlsplit(self.url)
        if parts.scheme not in schemes or not parts.hostname or parts.username:
            raise wrong(f"'{self.url}' is not an address that begins with https://")
        return self


class MailSettings(Table):
    """Mail to people."""

    server: str = ""
    """`smtp://mail.example.com:587` (TLS from STARTTLS on) or `smtps://mail.example.com:465`. Empty: no mail."""
    user: str = ""
    """Empty: the server asks for none."""
    password: SecretStr = SecretStr("")
    """Better in the environment or a credential than in the file."""
    sender: str = ""
    """From whom the mails come."""
    to: tuple[Email, ...] = ()
    """Who is told of every incident, besides its people. Of private ones only those who may see them."""
    people: bool = True
    """Whether the people of an incident are told: lead, roles, assignees."""
    digest_minutes: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 15
    """What comes up is gathered this long into one mail. 0: at once."""

    @model_validator(mode="after")
    def _whole(self) -> "MailSettings":
        parts = urlsplit(self.server)
        if self.server and (parts.scheme not in ("smtp", "smtps") or not parts.hostname):
            raise wrong(f"'{self.server}' must look like smtp://mail.example.com:587")
        if self.server and "@" not in self.sender:
            raise wrong("'sender' is missing: from whom the mails come")
        return self


class NotifySettings(Table):
    """Who is told of conflicts, halts and values that nobody understood, and of changes of status."""

    page_comments: bool = True
    """Whether each is said in a comment on the page, answered when it is settled. Nothing else of the page is touched."""
    mail: MailSettings = MailSettings()
    """Mail to people."""
    webhooks: dict[str, WebhookSettings] = Field(default_factory=dict)
    """Programs by a name of your own."""
