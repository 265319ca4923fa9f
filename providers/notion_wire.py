"""The pipe to Notion: notion-client for headers, JSON and error bodies, our own budget, patience and error classes.

Its retries are switched off (they know neither the budget nor 502, 504 and 529), and its methods by name are not used: they
drop keys that they do not know. What the answers mean for a page is in `notion.py` and `notion_write.py`.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from notion_client import Client
from notion_client.errors import HTTPResponseError, RequestTimeoutError

from mapping.notion_text import Json, dashed
from providers.contract import Missing, ProviderError, Refused, Unreachable
from providers.transport import Answer, Budget, NoAnswer, reads, refuse

VERSION = "2026-03-11"
TIMEOUT_MS = 65_000  # the service itself gives up after 60 s and then says what it saved
PAGE_SIZE = 100
HOSTS = ("notion.so", "notion.com", "notion.site")  # where people see their pages
BROKEN = (
    "an answer from Notion broke off, or came from something in between, such as a proxy or the sign-in page of a network"
)
_LOG = logging.getLogger("providers.notion.requests")  # of the library, which sets the level of what it is given


class Wire:
    """One connection with one token. `url` is the service's root; `client` replaces the real network."""

    def __init__(self, url: str, token: str, budget: Budget, client: httpx.Client | None = None) -> None:
        self.url, self.budget = url, budget
        self._client = Client(
            client=client or httpx.Client(),
            auth=token,
            base_url=url.rstrip("/").removesuffix("/v1"),
            notion_version=VERSION,
            timeout_ms=TIMEOUT_MS,
            retry=False,
            logger=_LOG,
            log_level=logging.ERROR,
        )

    def read(self, path: str, query: Mapping[str, Any] | None = None, body: Json | None = None) -> Json:
        """What a GET answers, or a query (a POST) when there is a `body`. Tries again; raises ProviderErrors."""
        try:
            for attempt in reads(self.budget):
                with attempt:
                    answer = self.send("GET" if body is None else "POST", path, body, query)
                    if not answer.ok:
                        raise error_of(answer)
        except NoAnswer as nothing:
            raise Unreachable(str(nothing)) from nothing
        found: Json = answer.body
        return found

    def read_list(self, path: str, body: Json | None = None) -> Iterator[Json]:
        """All results of a list, or of a query when there is a `body`."""
        for answer in self.read_pages(path, body):
            yield from answer["results"]

    def read_pages(self, path: str, body: Json | None = None) -> Iterator[Json]:
        """The answers behind `read_list`, a hundred results each."""
        cursor: Json = {"page_size": PAGE_SIZE}
        while True:
            answer = self.read(path, cursor) if body is None else self.read(path, body={**body, **cursor})
            yield answer
            if not answer.get("has_more"):
                return
            cursor = {**cursor, "start_cursor": answer["next_cursor"]}

    def send(self, method: str, path: str, body: Json | None = None, query: Mapping[str, Any] | None = None) -> Answer:
        """One request, once. Raises NoAnswer, and RateLimited when the budget has no room soon."""
        self.budget.take()
        try:
            found = self._client.request(path=path, method=method, query=dict(query or {}), body=body)
        except HTTPResponseError as error:
            headers = {name.lower(): value for name, value in error.headers.items()}
            return Answer(error.status, headers, _parsed(error.body))
        except (httpx.ConnectError, httpx.UnsupportedProtocol) as error:
            raise NoAnswer(f"no connection to Notion: {error}", sent=False) from error
        except (RequestTimeoutError, httpx.HTTPError) as error:
            raise NoAnswer(f"no answer from Notion: {error}", sent=True) from error
        except ValueError as error:  # JSON that is none, and bytes that are no text
            raise NoAnswer(BROKEN, sent=True) from error
        if not isinstance(found, dict):
            raise NoAnswer(BROKEN, sent=True)
        return Answer(200, {}, found)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def said(answer: Answer) -> str:
    """The service's own sentence, without the markup of a gateway."""
    return str(answer.body.get("message", "")) if isinstance(answer.body, dict) else "an answer that is not JSON"


def error_of(answer: Answer) -> Exception:
    """The error behind an answer that is not a success."""
    more = answer.body.get("additional_data") if isinstance(answer.body, dict) else None
    if answer.status == 429 and (more or {}).get("rate_limit_reason") == "public_api_request_blocked":
        return Refused(f"429: {said(answer)}")
    if answer.status == 400 and "archived" in said(answer):
        return Missing(f"400: {said(answer)}", "trashed")
    return refuse(answer, said(answer))


def provider_error(error: Exception) -> ProviderError:
    """Any trouble with a request as a ProviderError."""
    return error if isinstance(error, ProviderError) else Unreachable(str(error))


def id_of(text: str, *, beside: bool = True) -> str:
    """The dashed id in an id or a pasted link of either host; `?v=` (a view) and `#` (a block) are passed over. `beside`: a
    page opened beside its database (`?p=`) is meant, not the database.

    Raises Refused when there is none, before anything is put into a path.
    """
    parts = urlsplit(text.strip())
    opened = parse_qs(parts.query).get("p", []) if beside else []
    for candidate in (*opened, parts.path.rstrip("/").rpartition("/")[2]):
        found = dashed(candidate) or dashed(candidate.replace("-", "")[-32:])
        if found:
            return found
    raise Refused(f"{text!r} holds no Notion id; paste a link to the page or database")


def page_of(link: str, service: str) -> str:
    """The id in a page id or a link of any Notion host, or of the service at this address; empty for any other."""
    parts = urlsplit(link.strip())
    known = any(f".{parts.hostname}".endswith(f".{host}") for host in HOSTS)
    if "://" in link and not known and parts.netloc != urlsplit(service).netloc:
        return ""
    try:
        return id_of(link)
    except Refused:
        return ""
