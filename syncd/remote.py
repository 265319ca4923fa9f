"""The gate asked of a `syncd run` elsewhere, for machines that have no store and no configuration, such as a pipeline's. A
token that may read is enough.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from syncd.errors import Misuse, ProviderDown

LATEST = 20.0  # seconds that the server may look at pages before it answers
BESIDE = 10.0  # and what the way there and back may take
LONGEST = 300.0  # that a server may send us away for

Ask = Callable[[str, str], dict[str, Any]]  # a reference, the span that is accepted -> the gate's JSON


class Busy(ProviderDown):
    """The server asks us to come back later, in this many seconds."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


def server(url: str, token: str, transport: httpx.BaseTransport | None = None) -> Ask:
    """How to ask the server at this address. Raises Misuse for what is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Misuse(f"'{url}' is no address of a server; it begins with https:// or http://.")
    head = {"accept": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})

    def ask(ref: str, within: str) -> dict[str, Any]:
        asked = {"wait": str(LATEST)} | ({"accept_fresh_within": within} if within else {})
        try:
            with httpx.Client(headers=head, timeout=LATEST + BESIDE, transport=transport) as client:
                path = f"{url.rstrip('/')}/api/v1/incidents/{quote(ref, safe='')}/flow"
                return _read(client.get(path, params=asked), url)
        except httpx.HTTPError as error:
            raise ProviderDown(f"{url} does not answer: {error or type(error).__name__}.") from error

    return ask


def _read(answer: httpx.Response, url: str) -> dict[str, Any]:
    said = _json(answer)
    words = str(said.get("detail") or f"{url} answered {answer.status_code}.")
    if answer.status_code == 200 and "answer" in said:
        return said
    if answer.status_code in (401, 403):
        raise Misuse(words, "put a token that may read into $SYNCD_TOKEN")
    if answer.status_code == 404 and said.get("code") == "not_found":
        raise Misuse(words)
    if answer.status_code in (429, 503) and answer.headers.get("retry-after", "").isdecimal():
        raise Busy(words, min(float(answer.headers["retry-after"]), LONGEST))
    if answer.status_code >= 500 or answer.status_code == 429:
        raise ProviderDown(words)
    raise Misuse(words if said else f"{url} is no syncd: it answered {answer.status_code} and no gate.")


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
