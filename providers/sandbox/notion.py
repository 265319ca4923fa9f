"""A Notion workspace in memory that answers the public API, version 2026-03-11, as the service does.

This file is the front door: authentication, the version header, routing, errors and users. Blocks, pages, data
sources and comments have their own files; `notion_people.py` is what a person does in the editor. Not served: older
versions, the Markdown endpoints, file uploads, views, webhooks. Rate limits and failures are injected around
`handle`, not here.
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
from providers.sandbox.notion_pages import DataSourceEndpoints, PageEndpoints
from providers.sandbox.notion_people import People
from providers.sandbox.notion_properties import Schema
from providers.sandbox.notion_text import plain
from providers.sandbox.notion_tree import DATA_SOURCE, DATABASE, PAGE, Tree
from providers.sandbox.wire import Clock, Emulator, Reply

VERSION = "2026-03-11"
MOST_BODY_BYTES = 500_000

_Handler = Callable[[Call], Json]


class NotionWorkspace(People, Emulator):
    """One workspace with a parent page, a `Post-mortems` data source and two people.

    `page_id`, `database_id` and `data_source_id` are where tests and the site begin. `requests` is the log of
    (method, path); `last_created` the ids of the top-level blocks, page or comment that the last request made.
    `nested_edits_move_page` False keeps a page's time still when the API edits its blocks, as was seen on the real
    service; `index_lag` hides pages younger than that from queries and searches.
    """

    def __init__(
        self,
        clock: Clock,
        random: random.Random,
        *,
        nested_edits_move_page: bool = True,
        index_lag: timedelta = timedelta(0),
    ) -> None:
        tree = Tree(clock, random)
        self.access = Access(tree, nested_edits_move_page, index_lag)
        comments = CommentEndpoints(self.access)
        super().__init__(tree, comments)
        self.requests: list[tuple[str, str]] = []
        self.last_created: list[str] = []
        self._bots: dict[str, str] = {}
        self._workspace_id = tree.new_id()
        self._furnish()
        self._routes = self._make_routes(comments)

    def _furnish(self) -> None:
        tree = self._tree
        ada = self._add_person("Ada Byron", "ada@example.com")
        self._add_person("Grace Hopkins", "grace@example.com")
        home = tree.add_page(None, {"title": plain("Post-mortems home")}, ada)
        database = tree.add(DATABASE, home.id, {"title": plain("Post-mortems")}, ada)
        source = tree.add(DATA_SOURCE, database.id, {"title": plain("Post-mortems"), "icon": None}, ada)
        source.schema = _post_mortem_schema(tree.random)
        self.page_id, self.database_id, self.data_source_id = home.id, database.id, source.id

    def _add_person(self, name: str, email: str) -> str:
        person: Json = {"object": "user", "id": self._tree.new_id(), "name": name, "avatar_url": None}
        person = {**person, "type": "person", "person": {"email": email}}
        self._tree.users[person["id"]] = person
        return str(person["id"])

    def _make_routes(self, comments: CommentEndpoints) -> list[tuple[str, re.Pattern[str], _Handler]]:
        blocks = BlockEndpoints(self.access)
        pages = PageEndpoints(self.access, blocks)
        sources = DataSourceEndpoints(self.access)
        table: list[tuple[str, str, _Handler]] = [
            ("POST", "pages", pages.create),
            ("GET", "pages/{page_id}", pages.read),
            ("PATCH", "pages/{page_id}", pages.update),
            ("POST", "pages/{page_id}/move", pages.move),
            ("GET", "pages/{page_id}/properties/{property_id}", pages.read_property),
            ("GET", "blocks/{block_id}", blocks.read),
            ("PATCH", "blocks/{block_id}", blocks.update),
            ("DELETE", "blocks/{block_id}", blocks.delete),
            ("GET", "blocks/{block_id}/children", blocks.children),
            ("PATCH", "blocks/{block_id}/children", blocks.append),
            ("GET", "databases/{database_id}", sources.read_database),
            ("GET", "data_sources/{data_source_id}", sources.read),
            ("PATCH", "data_sources/{data_source_id}", sources.update),
            ("POST", "data_sources/{data_source_id}/query", sources.query),
            ("POST", "search", sources.search),
            ("GET", "users", self._list_users),
            ("GET", "users/me", self._read_me),
            ("GET", "users/{user_id}", self._read_user),
            ("GET", "comments", comments.read_list),
            ("POST", "comments", comments.create),
            ("GET", "comments/{comment_id}", comments.read),
            ("PATCH", "comments/{comment_id}", comments.update),
            ("DELETE", "comments/{comment_id}", comments.delete),
        ]
        return [(method, _pattern(path), handler) for method, path, handler in table]

    # --- the front door ---

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answers one request of the public API."""
        self.requests.append((method, path))
        self.last_created = []
        request_id = self._tree.new_id()
        try:
            status, answer = 200, self._answer(method, path, headers, body)
        except Refusal as refusal:
            status, answer = refusal.status, _error(refusal)
        payload = json.dumps({**answer, "request_id": request_id}, ensure_ascii=False).encode(errors="replace")
        kind = {"content-type": "application/json; charset=utf-8", "x-notion-request-id": request_id}
        return Reply(status, kind, payload)

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Json:
        given = {name.lower(): value for name, value in headers.items()}
        by = self._authenticate(given.get("authorization", ""))
        _check_version(given.get("notion-version"))
        place, _, asked = path.partition("?")
        handler, ids = self._route(method, place)
        query = dict(parse_qsl(asked, keep_blank_values=True))
        call = Call(by, ids, query, _read_body(method, body))
        answer = handler(call)
        self.last_created = call.made
        return answer

    def _authenticate(self, header: str) -> str:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Refusal(401, "unauthorized", "API token is invalid.")
        if token not in self._bots:
            self._bots[token] = self._add_bot()
        return self._bots[token]

    def _add_bot(self) -> str:
        number = len(self._bots) + 1
        name = "Sandbox" if number == 1 else f"Sandbox {number}"
        bot: Json = {"object": "user", "id": self._tree.new_id(), "name": name, "avatar_url": None}
        about: Json = {"owner": {"type": "workspace", "workspace": True}, "workspace_id": self._workspace_id}
        limits = {"max_file_upload_size_in_bytes": 5_242_880}
        about = {**about, "workspace_name": "Sandbox", "workspace_limits": limits}
        self._tree.users[bot["id"]] = {**bot, "type": "bot", "bot": about}
        return str(bot["id"])

    def _route(self, method: str, path: str) -> tuple[_Handler, dict[str, str]]:
        for wanted, pattern, handler in self._routes:
            found = pattern.fullmatch(path)
            if wanted == method.upper() and found:
                return handler, {name: unquote(value) for name, value in found.groupdict().items()}
        raise Refusal(400, "invalid_request_url", "Invalid request URL.")

    # --- users ---

    def _list_users(self, call: Call) -> Json:
        ids, following = part(list(self._tree.users), call.query)
        return listed("user", [self._tree.users[user] for user in ids], following)

    def _read_me(self, call: Call) -> Json:
        return self._tree.users[call.by]

    def _read_user(self, call: Call) -> Json:
        wanted = call.id("user_id")
        if wanted not in self._tree.users:
            capability = "Make sure your integration has capabilities to read user information."
            message = f"Could not find user with ID: {wanted}. {capability}"
            raise Refusal(404, "object_not_found", message)
        return self._tree.users[wanted]

    # --- inspection ---

    def pages(self) -> Iterator[tuple[str, str, bool]]:
        """(id, title, in trash) of every page, the trashed ones too."""
        nodes = [node for node in self._tree.nodes.values() if node.kind == PAGE]
        return ((node.id, self._tree.title(node), self._tree.trashed(node)) for node in nodes)

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


def _check_version(version: str | None) -> None:
    where = "Notion-Version header failed validation: Notion-Version header should be"
    if version is None:
        raise Refusal(400, "missing_version", f"{where} defined, instead was `undefined`.")
    if version != VERSION:
        raise refused(f'{where} `"{VERSION}"`, instead was {shown(version)}.')


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
