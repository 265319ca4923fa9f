"""Requests to Confluence and what the answers mean, for every edition.

The client library is only an authenticated pipe: its friendly methods send requests that API v2 does not know, and its own
retries would repeat writes. Reads are patient; a write is sent once and answered with an `Outcome` unless it went well.
"""

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import requests
from atlassian.confluence.cloud.cloud import ConfluenceCloud as Client
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

from providers.contract import Done, Outcome, ProviderError, RateLimited, Rejected, Stale, TitleTaken, Unknown, Unreachable
from providers.transport import Answer, Budget, NoAnswer, reads, refuse, retry_after

TIMEOUT = (3.05, 20)  # seconds to connect, seconds between bytes
Json = dict[str, Any]
Form = Mapping[str, tuple[str | None, str | bytes]]  # parts by name: the name of a file, None for a value
Query = Mapping[str, str | Sequence[str]]  # a sequence is a parameter that is repeated


class Wire:
    """One credential's requests, within its budget. Paths are relative to `url`; `token` is an API token of `user`, or a
    bearer token when `user` is empty; `session` brings other transports."""

    def __init__(
        self,
        url: str,
        user: str,
        token: str,
        budget: Budget,
        now: Callable[[], datetime],
        session: requests.Session | None = None,
    ) -> None:
        self._client = _client(url, user, token, session)
        self._client.timeout = TIMEOUT  # the constructor takes whole seconds only
        self._budget = budget
        self._now = now

    def read(self, path: str, query: Query | None = None) -> Json:
        """The JSON object at a path, asked for patiently. Raises ProviderError."""
        return self._patiently("GET", path, query or {}, None)

    def ask(self, path: str, data: Json) -> Json:
        """The answer to a question that has to travel as POST and changes nothing. Raises ProviderError."""
        return self._patiently("POST", path, {}, data)

    def write(
        self,
        method: str,
        path: str,
        data: Json | Sequence[Json] | None = None,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer | Outcome:
        """Send a write once. The answer when it went well, otherwise what became of it."""
        return self._once(method, path, query or {}, data, headers or {}, None)

    def _once(
        self,
        method: str,
        path: str,
        query: Query,
        data: Json | Sequence[Json] | None,
        headers: Mapping[str, str],
        form: Form | None,
    ) -> Answer | Outcome:
        try:
            answer = self._send(method, path, query, data, headers, form)
        except NoAnswer as error:
            return Unknown(str(error)) if error.sent else Rejected(Unreachable(str(error)))
        except RateLimited as error:
            return Rejected(error)
        if answer.ok:
            return answer if answer.status == 204 or isinstance(answer.body, dict) else Unknown("the answer is not JSON")
        return self._outcome(answer)

    def upload(self, method: str, path: str, name: str, data: bytes) -> Answer | Outcome:
        """Send a file once, as a write; nobody gets mail of it."""
        form: Form = {"file": (name, data), "minorEdit": (None, "true")}
        return self._once(method, path, {}, None, {"X-Atlassian-Token": "no-check"}, form)

    def _outcome(self, answer: Answer) -> Outcome:
        error = self._error(answer)
        if isinstance(error, RateLimited):
            self._budget.pause(error.retry_after)
            return Rejected(error)
        if answer.status >= 500:
            return Unknown(str(error))
        if answer.status in (400, 409) and _title_taken(said(answer)):
            return Rejected(TitleTaken(said(answer)))
        if answer.status == 409:
            return Stale(str(error))
        return Rejected(error)

    def _patiently(self, method: str, path: str, query: Query, data: Json | None) -> Json:
        try:
            return reads(self._budget)(self._object, method, path, query, data)
        except NoAnswer as error:
            raise Unreachable(str(error)) from error

    def _object(self, method: str, path: str, query: Query, data: Json | None) -> Json:
        answer = self._send(method, path, query, data, {})
        if not answer.ok:
            raise self._error(answer)
        if not isinstance(answer.body, dict):
            raise Unreachable("the answer is not JSON; something stands between us and Confluence")
        return answer.body

    def _error(self, answer: Answer) -> ProviderError:
        if answer.status == 429:
            return RateLimited(f"rate limited: {said(answer)}", retry_after(answer.headers, self._now()) or 5.0)
        error = refuse(answer, said(answer))
        return error if isinstance(error, ProviderError) else Unreachable(str(error))

    def _send(
        self,
        method: str,
        path: str,
        query: Query,
        data: Json | Sequence[Json] | None,
        headers: Mapping[str, str],
        form: Form | None = None,
    ) -> Answer:
        self._budget.take()
        all_headers = {**self._client.default_headers, **headers}  # those of a call would replace the library's own
        if form:
            del all_headers["Content-Type"]  # of a form it names the border between its parts
        try:
            response = self._client.request(
                method,
                path,
                params=dict(query),
                data=data,
                files=form,
                headers=all_headers,
                advanced_mode=True,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise NoAnswer(f"no answer from Confluence: {_why(error)}", sent=_may_have_arrived(error)) from error
        told = {name.lower(): value for name, value in response.headers.items()}
        self._budget.pause(retry_after(told, self._now()) or 0.0)  # it may stand beside a success, and beside any failure
        return Answer(response.status_code, told, _content(response))


def _client(url: str, user: str, token: str, session: requests.Session | None) -> Any:
    logging.getLogger("atlassian").setLevel(logging.INFO)  # it logs whole bodies at DEBUG
    credential = {"username": user, "password": token} if user else {"token": token}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the library warns of methods that are not used here
        return Client(url, session=session, retry_with_header=False, **credential)


def done(page_id: str, answer: Answer | Outcome) -> Outcome:
    """What became of a write about a page that is known."""
    return Done(page_id) if isinstance(answer, Answer) else answer


def saved(answer: Answer | Outcome) -> Outcome:
    """What became of a write that is answered with its page."""
    if not isinstance(answer, Answer):
        return answer
    page_id = str(answer.body.get("id", "")) if isinstance(answer.body, dict) else ""
    return Done(page_id) if page_id else Unknown("it was saved, but the answer does not name the page")


def said(answer: Answer) -> str:
    """The service's own words, from any of its error envelopes, on one line."""
    body = answer.body
    if isinstance(body, dict) and isinstance(body.get("errors"), list):
        parts = (
            part for error in body["errors"] if isinstance(error, dict) for part in (error.get("title"), error.get("detail"))
        )
        return "; ".join(str(part) for part in parts if part)
    if isinstance(body, dict):
        return str(body.get("message") or "")
    text = " ".join(str(body or "").split())
    return "" if text.startswith("<") else text[:200]  # a gateway's or a proxy's own page says nothing to a person


def _title_taken(words: str) -> bool:
    return "title" in words.lower() and "already exists" in words.lower()


def _why(error: requests.RequestException) -> str:
    """The library's reason in a person's words."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    if isinstance(error, requests.Timeout):
        return "it took too long"
    if isinstance(reason, NameResolutionError):
        return f"the name {reason.conn.host} is not known" if reason.conn else "its name is not known"
    return "the connection was refused" if isinstance(reason, NewConnectionError) else "the connection broke"


def _may_have_arrived(error: requests.RequestException) -> bool:
    """False when there was certainly no connection to send on."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError):
        return False
    cause = error.args[0] if error.args else None
    return not (isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError))


def _content(response: requests.Response) -> Any:
    try:
        return response.json()
    except requests.JSONDecodeError:
        return response.text


def moment(text: Any) -> datetime | None:
    """An instant as the service writes it, None where it wrote none."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
