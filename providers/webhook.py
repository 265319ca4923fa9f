"""A message posted to an address that somebody configured: to that address, and nowhere else.

The name is looked up once, every address that it has must be allowed, and the connection goes to one of those: a name that
is pointed elsewhere meanwhile leads nowhere. Redirects are not followed, proxies of the environment are not used.
"""

import http.client
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from providers.contract import RateLimited, Refused, Unreachable

TIMEOUT = 10.0  # seconds for each step
Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Target:
    """Where to: an address that begins with https://, or with http:// where it may be inside. `inside`: addresses of this
    machine and of private networks are allowed."""

    url: str
    inside: bool = False


def post(target: Target, headers: Mapping[str, str], body: bytes, timeout: float = TIMEOUT) -> None:
    """Raises Refused for an address that is not allowed and for an answer that is not 2xx, Unreachable for no answer."""
    parts = urlsplit(target.url)
    where = parts.path + (f"?{parts.query}" if parts.query else "")
    address = reachable(target)
    try:
        with closing(_connection(parts, address, timeout)) as connection:
            connection.request("POST", where or "/", body, dict(headers))
            with closing(connection.getresponse()) as answer:
                _judge(answer, str(parts.hostname))
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{parts.hostname} does not answer: {error or type(error).__name__}") from error


def _judge(answer: http.client.HTTPResponse, host: str) -> None:
    if 200 <= answer.status < 300:
        return
    wait = answer.getheader("retry-after", "")
    if answer.status in (429, 503) and wait.isdecimal():
        raise RateLimited(f"{host} answers {answer.status}", min(float(wait), 3600.0))
    if answer.status >= 500 or answer.status == 429:
        raise Unreachable(f"{host} answers {answer.status}")
    moved = ", and redirects are not followed" if 300 <= answer.status < 400 else ""
    raise Refused(f"{host} answers {answer.status}{moved}")


def reachable(target: Target) -> str:
    """An address of the target's host that may be connected to. Raises Refused where one of them may not be, Unreachable
    where it has none."""
    parts = urlsplit(target.url)
    if parts.scheme not in (("https", "http") if target.inside else ("https",)) or not parts.hostname:
        raise Refused(f"'{target.url}' must begin with https://")
    try:
        found = socket.getaddrinfo(parts.hostname, _port(parts), type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unreachable(f"{parts.hostname} is not found: {error}") from error
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not allowed(ip_address(address), inside=target.inside):
            raise Refused(f"{parts.hostname} is at {address}, which is not on the internet")
    return addresses[0]


def allowed(address: Address, *, inside: bool) -> bool:
    """Whether a message may go there. Never to where machines are told secrets (169.254.169.254) or to everybody at once."""
    inner = address.ipv4_mapped or address.sixtofour if isinstance(address, IPv6Address) else None
    if inner is not None:
        return allowed(inner, inside=inside)
    if address.is_multicast or address.is_unspecified or address.is_link_local:
        return False
    return address.is_global or (inside and (address.is_private or address.is_loopback))


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _connection(parts: SplitResult, address: str, timeout: float) -> http.client.HTTPConnection:
    kind = _Tls if parts.scheme == "https" else _Plain
    connection = kind(str(parts.hostname), _port(parts), timeout=timeout)
    connection.address = address
    return connection


class _Plain(http.client.HTTPConnection):
    """To the address that was looked up."""

    address = ""

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), self.timeout)


class _Tls(http.client.HTTPSConnection):
    """The same, where the other side proves its name."""

    address = ""

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), self.timeout)  # closed with this, whatever comes
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
