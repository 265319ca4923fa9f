"""A Notion workspace in memory that answers the public API, versions 2026-03-11 and 2025-09-03, as the service does.

This file is the front door: the version header, routing, errors and users. Tokens, capabilities and rate limits are
`notion_gate.py`; blocks, pages, data sources and comments have their own files; `notion_people.py` is what a person does
in the app, `notion_webhooks.py` what is told without being asked. Not served: older versions, file uploads, views. Failures
are injected around `handle`, not here.
"""

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote

from providers.sandbox.notion_access import Access, Call, listed, part
from providers.sandbox.notion_check import Json, Refusal, invalid, refused, shown
from providers.sandbox.notion_comments import CommentEndpoints
from providers.sandbox.notion_content import BlockEndpoints
from providers.sandbox.notion_gate import Gate
from providers.sandbox.notion_markdown import MarkdownEndpoints
from providers.sandbox.notion_pages import DataSourceEndpoints, PageEndpoints
from providers.sandbox.notion_people import People
from providers.sandbox.notion_properties import Schema
from providers.sandbox.notion_text import plain
from providers.sandbox.notion_tree import DATA_SOURCE, DATABASE, HOSTS, PAGE, Tree
from providers.sandbox.notion_versions import NEWEST, OLDER, newer_request, older_answer, with_novelties
from providers.sandbox.notion_webhooks import Deliver, Webhooks
from providers.sandbox.wire import Clock, Emulator, Reply

MOST_BODY_BYTES = 500_000

_Handler = Callable[[Call], Json]
_READ, _UPDATE, _INSERT = "read_content", "update_content", "insert_content"
_HEAR, _SAY, _USERS = "read_comments", "insert_comments", "read_users"


class NotionWorkspace(People, Emulator):
    """One workspace with a parent page, a `Post-mortems` data source and two people.

    `page_id`, `database_id` and `data_source_id` are where tests and the site begin. `requests` is the log of
    (method, path); `last_created` the ids of the top-level blocks, page or comment that the last request made.
    `nested_edits_move_page` False keeps a page's time still when the API edits its blocks, as was seen on the real
    service, a timedelta moves it late; `index_lag` is how old queries and searches are; `old_links` gives half of the
    pages addresses of the older site; `novelties` adds fields to answers that nobody has heard of yet.
    """

    def __init__(
        self,
        clock: Clock,
        random: random.Random,
        *,
        nested_edits_move_page: bool | timedelta = True,
        index_lag: timedelta = timedelta(0),
        old_links: bool = False,
        novelties: bool = False,
    ) -> None:
        tree = Tree(clock, random)
        tree.hosts = HOSTS if old_links else HOSTS[:1]
        self.access = Access(tree, nested_edits_move_page, index_lag)
        comments = CommentEndpoints(self.access)
        super().__init__(tree, comments)
        self.requests: list[tuple[str, str]] = []
        self.last_created: list[str] = []
        self.gate = Gate(tree)
        self._novel = novelties
        self._furnish()
        self._markdown = MarkdownEndpoints(self.access)
        self._routes = self._make_routes(comments)

    def _furnish(self) -> None:
        tree = self._tree
        ada = self.add_person("Ada Byron", "ada@example.com")
        self.add_person("Grace Hopkins", "grace@example.com")
        home = tree.add_page(None, {"title": plain("Post-mortems home")}, ada)
        database = tree.add(DATABASE, home.id, {"title": plain("Post-mortems")}, ada)
        source = tree.add(DATA_SOURCE, database.id, {"title": plain("Post-mortems"), "icon": None}, ada)
        source.schema = _post_mortem_schema(tree.random)
        self.page_id, self.database_id, self.data_source_id = home.id, database.id, source.id

    def _make_routes(self, comments: CommentEndpoints) -> list[tuple[str, re.Pattern[str], _Handler, str]]:
        blocks = BlockEndpoints(self.access)
        pages = PageEndpoints(self.access, blocks)
        sources = DataSourceEndpoints(self.access)
        markdown = self._markdown
        table: list[tuple[str, str, _Handler, str]] = [
            ("POST", "pages", pages.create, _INSERT),
            ("GET", "pages/{page_id}", pages.read, _READ),
            ("PATCH", "pages/{page_id}", pages.update, _UPDATE),
            ("POST", "pages/{page_id}/move", pages.move, _UPDATE),
            ("GET", "pages/{page_id}/properties/{property_id}", pages.read_property, _READ),
            ("GET", "pages/{page_id}/markdown", markdown.read, _READ),
            ("PATCH", "pages/{page_id}/markdown", markdown.update, _UPDATE),
            ("GET", "async_tasks/{task_id}", markdown.read_task, ""),
            ("GET", "blocks/{block_id}", blocks.read, _READ),
            ("PATCH", "blocks/{block_id}", blocks.update, _UPDATE),
            ("DELETE", "blocks/{block_id}", blocks.delete, _UPDATE),
            ("GET", "blocks/{block_id}/children", blocks.children, _READ),
            ("PATCH", "blocks/{block_id}/children", blocks.append, _INSERT),
            ("GET", "databases/{database_id}", sources.read_database, _READ),
            ("GET", "data_sources/{data_source_id}", sources.read, _READ),
            ("PATCH", "data_sources/{data_source_id}", sources.update, _UPDATE),
            ("POST", "data_sources/{data_source_id}/query", sources.query, _READ),
            ("POST", "search", sources.search, _READ),
            ("GET", "users", self._list_users, _USERS),
            ("GET", "users/me", self._read_me, ""),
            ("GET", "users/{user_id}", self._read_user, ""),
            ("GET", "comments", comments.read_list, _HEAR),
            ("POST", "comments", comments.create, _SAY),
            ("GET", "comments/{comment_id}", comments.read, _HEAR),
            ("PATCH", "comments/{comment_id}", comments.update, _SAY),
            ("DELETE", "comments/{comment_id}", comments.delete, _SAY),
        ]
        return [(method, _pattern(path), handler, needs) for method, path, handler, needs in table]

    def webhooks(self, token: str, deliver: Deliver) -> Webhooks:
        """A subscription of the connection with this token, not yet verified."""
        return Webhooks(self._tree, self._comments, deliver, self.gate.admit(f"Bearer {token}"))

    # --- the front door ---

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answers one request of the public API."""
        self.requests.append((method, path))
        self.last_created = []
        request_id = self._tree.new_id()
        try:
            answer = self._answer(method, path, headers, body)
            status = 202 if answer.get("object") == "async_task" and method.upper() == "PATCH" else 200
        except Refusal as refusal:
            status, answer = refusal.status, _error(refusal)
        answer = with_novelties(answer, self._tree.random) if self._novel else answer
        payload = json.dumps({**answer, "request_id": request_id}, ensure_ascii=False).encode(errors="replace")
        about = {"content-type": "application/json; charset=utf-8", "x-notion-request-id": request_id}
        wait = (answer.get("additional_data") or {}).get("retry_after")
        return Reply(status, {**about, "Retry-After": wait} if wait else about, payload)

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Json:
        given = {name.lower(): value for name, value in headers.items()}
        self.access.settle()
        self._markdown.settle()
        by = self.gate.admit(given.get("authorization", ""))
        old = _read_version(given.get("notion-version")) == OLDER
        place, _, asked = path.partition("?")
        handler, ids, needs = self._route(method, place)
        self.gate.require(by, needs)
        query = dict(parse_qsl(asked, keep_blank_values=True))
        said = _read_body(method, body)
        call = Call(by, ids, query, newer_request(said) if old else said)
        answer = handler(call)
        self.last_created = call.made
        return dict(older_answer(answer)) if old else answer

    def _route(self, method: str, path: str) -> tuple[_Handler, dict[str, str], str]:
        for wanted, pattern, handler, needs in self._routes:
            found = pattern.fullmatch(path)
            if wanted == method.upper() and found:
                return handler, {name: unquote(value) for name, value in found.groupdict().items()}, needs
        raise Refusal(400, "invalid_request_url", "Invalid request URL.")

    # --- users ---

    def _list_users(self, call: Call) -> Json:
        listable = [user for user in self._tree.users if user not in self._tree.guests]
        ids, following = part(listable, call.query)
        return listed("user", [self.gate.shown(self._tree.users[user], call.by) for user in ids], following)

    def _read_me(self, call: Call) -> Json:
        return self._tree.users[call.by]

    def _read_user(self, call: Call) -> Json:
        wanted = call.id("user_id")
        if wanted not in self._tree.users or not self.gate.may(call.by, _USERS):
            capability = "Make sure your integration has capabilities to read user information."
            message = f"Could not find user with ID: {wanted}. {capability}"
            raise Refusal(404, "object_not_found", message)
        return self.gate.shown(self._tree.users[wanted], call.by)

    # --- inspection ---

    def pages(self) -> Iterator[tuple[str, str, bool]]:
        """(id, title, in trash) of every page, the trashed ones too."""
        nodes = [node for node in self._tree.nodes.values() if node.kind == PAGE]
        return ((node.id, self._tree.title(node), self._tree.trashed(node)) for node in nodes)

    def properties_of(self, page_id: str) -> dict[str, Any]:
        """A page's properties as the API shows them."""
        shown: dict[str, Any] = self._tree.rendered_page(self._tree.nodes[page_id])["properties"]
        return shown

    def children_of(self, identifier: str) -> list[dict[str, Any]]:
        """The living children of a page or block as the API shows them, all at once; of a data source, its pages."""
        living = self._tree.living(self._tree.nodes[identifier])
        return [self._tree.rendered_block(node) for node in living]


def _post_mortem_schema(source: random.Random) -> Schema:
    schema = Schema(source)
    schema.add("Name", "title")
    schema.add("Incident", "rich_text")
    schema.add("Severity", "select", ("SEV1", "SEV2", "SEV3"))
    schema.add("Status", "status", ("In progress", "In review", "Completed"))
    return schema


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("/v1/" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "/?")


def _read_version(version: str | None) -> str:
    where = "Notion-Version header failed validation: Notion-Version header should be"
    if version is None:
        raise Refusal(400, "missing_version", f"{where} defined, instead was `undefined`.")
    if version not in (NEWEST, OLDER):
        raise refused(f'{where} `"{NEWEST}"`, instead was {shown(version)}.')
    return version


def _read_body(method: str, body: bytes) -> Json:
    if len(body) > MOST_BODY_BYTES:
        raise invalid(f"body size should be ≤ `{MOST_BODY_BYTES}` bytes, instead was `{len(body)}`")
    if method.upper() in {"GET", "DELETE"} or not body:
        return {}
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal(400, "invalid_json", "Error parsing JSON body.") from None
    if not isinstance(given, dict):
        raise invalid(f"body should be an object, instead was {shown(given)}")
    return given


def _error(refusal: Refusal) -> Json:
    body: Json = {"object": "error", "status": refusal.status, "code": refusal.code, "message": refusal.message}
    return body if refusal.additional is None else {**body, "additional_data": refusal.additional}
