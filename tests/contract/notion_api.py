"""A Notion emulator with a clock that stands still, the shortest way to send it a request, and small blocks."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from providers.sandbox.notion import NotionWorkspace
from providers.sandbox.wire import Emulator
from tests.contract.described import NOTION, Described

Json = dict[str, Any]

TEXT_LIMIT = 2000
NOBODY = "00000000-0000-4000-8000-000000000000"


class Api:
    """A workspace, a clock that stands still until told, and the shortest way to send a request."""

    def __init__(self, *, described: bool = True, **options: Any) -> None:
        """`described`: every answer must be as the vendor describes it."""
        self.now = datetime(2026, 11, 20, 10, 0, 17, 250000, tzinfo=UTC)
        self.workspace = NotionWorkspace(lambda: self.now, random.Random(7), **options)
        self.door: Emulator = Described(self.workspace, NOTION, ours=False, requests=False) if described else self.workspace

    def later(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    def send(self, method: str, path: str, body: object = None, token: str = "one") -> tuple[int, Json]:
        headers = {"Authorization": f"Bearer {token}", "Notion-Version": "2026-03-11"}
        payload = b"" if body is None else json.dumps(body).encode()
        reply = self.door.handle(method, path, headers, payload)
        answer: Json = json.loads(reply.body)
        assert answer["request_id"] == reply.headers["x-notion-request-id"]
        return reply.status, answer

    def ok(self, method: str, path: str, body: object = None, token: str = "one") -> Json:
        status, answer = self.send(method, path, body, token)
        assert status == 200, answer
        return answer

    def no(self, method: str, path: str, body: object = None, code: str = "validation_error") -> str:
        """The message of a refusal."""
        status, answer = self.send(method, path, body)
        assert (answer["object"], answer["code"], answer["status"]) == ("error", code, status), answer
        return str(answer["message"])

    def page(self, *blocks: Json, title: str = "INC-1", **properties: Json) -> str:
        body = {
            "parent": {"data_source_id": self.workspace.data_source_id},
            "properties": {"Name": {"title": [{"text": {"content": title}}]}, **properties},
            "children": list(blocks),
        }
        return str(self.ok("POST", "/v1/pages", body)["id"])

    def children(self, parent: str) -> list[Json]:
        results: list[Json] = self.ok("GET", f"/v1/blocks/{parent}/children")["results"]
        return results

    def append(self, parent: str, *blocks: Json, **more: Json) -> list[Json]:
        answer = self.ok("PATCH", f"/v1/blocks/{parent}/children", {"children": list(blocks), **more})
        results: list[Json] = answer["results"]
        return results

    def cannot_append(self, parent: str, *blocks: Json, **more: Any) -> str:
        return self.no("PATCH", f"/v1/blocks/{parent}/children", {"children": list(blocks), **more})

    def edited(self, page: str) -> str:
        return str(self.ok("GET", f"/v1/pages/{page}")["last_edited_time"])[11:16]

    def query(self, **body: Any) -> Json:
        return self.ok("POST", f"/v1/data_sources/{self.workspace.data_source_id}/query", body)

    def titles(self, **body: Any) -> list[str]:
        return [row["properties"]["Name"]["title"][0]["plain_text"] for row in self.query(**body)["results"]]


def text(content: str, **annotations: bool) -> Json:
    item: Json = {"text": {"content": content}}
    return {**item, "annotations": annotations} if annotations else item


def para(content: str, **more: Any) -> Json:
    return {"paragraph": {"rich_text": [text(content)], **more}}


def toggle(content: str, *children: Json) -> Json:
    return {"toggle": {"rich_text": [text(content)], "children": list(children)}}


def row(*cells: str) -> Json:
    return {"table_row": {"cells": [[text(cell)] for cell in cells]}}


def table(width: int, *rows: Json) -> Json:
    return {"table": {"table_width": width, "has_column_header": True, "children": list(rows)}}


def plain(block: Json) -> str:
    return "".join(item["plain_text"] for item in block[block["type"]]["rich_text"])
