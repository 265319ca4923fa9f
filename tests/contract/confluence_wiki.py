"""A Confluence Cloud site on a bench: a clock moved by hand and a bot that talks to it, for the emulator's tests."""

import base64
import json
import random
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from providers.sandbox.confluence import ConfluenceCloud
from tests.contract.described import CLOUD, Described

ADA = "ada@example.com"
GRACE = "grace@example.com"
NO_CHECK = {"X-Atlassian-Token": "no-check"}
RICH = (
    "<h1>Summary</h1>loose<ul><li>one</li></ul><ol><li>two</li></ol>"
    '<p><span style="color: #ff0010">red</span> <ac:structured-macro ac:name="status" ac:macro-id="native">'
    '<ac:parameter ac:name="colour">Grey</ac:parameter><ac:parameter ac:name="title">T</ac:parameter>'
    '</ac:structured-macro></p><ac:structured-macro ac:name="toc" ac:macro-id="extension" />'
    '<ac:structured-macro ac:name="info" ac:macro-id="native"><ac:rich-text-body>i</ac:rich-text-body>'
    "</ac:structured-macro>"
    '<table ac:local-id="mine"><thead><tr><th>h</th></tr></thead><tbody><tr><td>c</td></tr></tbody></table>'
)
TASKS = (
    "<ac:task-list><ac:task><ac:task-id>4</ac:task-id><ac:task-status>incomplete</ac:task-status>"
    '<ac:task-body><ac:link><ri:user ri:account-id="who" /></ac:link> check <time datetime="2026-12-01" />'
    "</ac:task-body></ac:task><ac:task><ac:task-body>other</ac:task-body></ac:task></ac:task-list>"
)


class Wiki:
    """A site with a clock that is moved by hand, and a bot that talks to it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 10, 0, 0, 123000, tzinfo=UTC)
        self.site = ConfluenceCloud(lambda: self.now, random.Random(7))
        self.described = Described(self.site, CLOUD, ours=False)

    def call(
        self, method: str, path: str, data: object = None, user: str = "bot@example.com", **headers: str
    ) -> tuple[int, Any]:
        credentials = base64.b64encode(f"{user}:secret".encode()).decode()
        sent = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json", **headers}
        body = b"" if data is None else json.dumps(data).encode()
        reply = self.described.handle(method, path, sent, body)
        return reply.status, json.loads(reply.body) if reply.body else None

    def ok(self, method: str, path: str, data: object = None, **headers: str) -> Any:
        status, content = self.call(method, path, data, **headers)
        assert status < 300, content
        return content

    def create(self, title: str, body: str = "<p>text</p>", **more: object) -> Any:
        given = {"spaceId": self.site.space_id, "title": title, "parentId": self.site.parent_id, **more}
        said = {name: value for name, value in given.items() if value is not None}
        return self.ok("POST", "/api/v2/pages", {**said, "body": storage(body)})

    def update(self, page: Any, body: str, number: int | None = None, **more: object) -> tuple[int, Any]:
        version = {"number": page["version"]["number"] + 1 if number is None else number}
        wanted = {"id": page["id"], "status": "current", "title": page["title"], **more}
        return self.call("PUT", f"/api/v2/pages/{page['id']}", {**wanted, "body": storage(body), "version": version})

    def read(self, page: Any, query: str = "") -> Any:
        return self.ok("GET", f"/api/v2/pages/{page['id']}?body-format=storage{query}")

    def body(self, page: Any) -> str:
        return str(self.read(page)["body"]["storage"]["value"])

    def comment(self, page: Any, selection: str, count: int = 1, index: int = 0) -> Any:
        anchor = {
            "textSelection": selection,
            "textSelectionMatchCount": count,
            "textSelectionMatchIndex": index,
        }
        data = {"pageId": page["id"], "body": storage("<p>Why?</p>"), "inlineCommentProperties": anchor}
        return self.ok("POST", "/api/v2/inline-comments", data)

    def search(self, cql: str, **more: object) -> list[Any]:
        query = urlencode({"cql": cql, **more})
        return list(self.ok("GET", f"/rest/api/content/search?{query}")["results"])

    def comments(self, page: Any, resolution: str) -> list[str]:
        path = f"/api/v2/pages/{page['id']}/inline-comments?resolution-status={resolution}"
        return [comment["id"] for comment in self.ok("GET", path)["results"]]


def storage(value: str) -> dict[str, str]:
    return {"representation": "storage", "value": value}


def title_of(error: Any) -> str:
    return str(error["errors"][0]["title"])
