"""Exchanges held against the vendors' own API descriptions: what is asked, and what is answered.

`Described` stands around an emulator. The descriptions are not part of the repository; where they are absent nothing is
checked, and `tests/contract/test_requests_as_described.py` says so. An exchange that looks like one that was checked
before is not checked again, so that whole worlds can run behind it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema

from providers.sandbox.wire import Emulator, Reply

SPECS = Path(__file__).parents[3] / "shared" / "specs"
CLOUD = ("confluence-cloud-v2.json", "confluence-cloud-v1-2023.json")
DATA_CENTER = ("confluence-dc-10.0.3-openapi.json",)
NOTION = ("notion-2026-03-11.json",)
NOTION_BEFORE = ("notion-2025-09-03.json",)
ABSENT = "needs the vendors' descriptions in ../shared/specs, which are not there"

ACCEPTED = 202  # Notion's answer to what it does later, which its client's types do not know

_MOUNTS = {"confluence-cloud-v2.json": "/api/v2", "confluence-cloud-v1-2023.json": ""}
_PREFIXES = {"confluence-cloud-v1-2023.json": "/wiki"}
_WEB_INTERFACE = ("/rest/inlinecomments/", "/rest/inlinetasks/")
_FAITHFUL = ("'breadcrumbs' is a required property", "'description' is a required property")  # as the specs' README says
_WORD = re.compile(r"[A-Za-z_]{1,24}")


class NotDescribedError(AssertionError):
    """An exchange that the vendor does not describe."""


@dataclass
class Described:
    """An emulator whose every exchange must be as described in `names`. What a refusal says is not described; where `ours`
    is False a request that is refused may be anything, as in the emulators' own tests, and what only the vendor's web
    interface asks is let through. `requests` False leaves them to the emulator, which takes more than is described."""

    emulator: Emulator
    names: tuple[str, ...]
    ours: bool = True
    requests: bool = True
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)

    @property
    def last_created(self) -> list[str]:
        """See `Faulty`."""
        made: list[str] = getattr(self.emulator, "last_created", [])
        return made

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.asked.append((method, path, body))
        reply = self.emulator.handle(method, path, headers, body)
        if not SPECS.exists() or (not self.ours and (reply.status >= 400 or path.startswith(_WEB_INTERFACE))):
            return reply
        names = self._names(headers)
        if self.requests:
            check_request(names, method, path, body)
        if (reply.status < 400 or self.names == NOTION) and reply.status != ACCEPTED:
            check_reply(names, method, path, reply)
        return reply

    def _names(self, headers: Mapping[str, str]) -> tuple[str, ...]:
        """Notion says in a header which of its versions is meant."""
        version = next((value for name, value in headers.items() if name.lower() == "notion-version"), "")
        return NOTION_BEFORE if self.names == NOTION and version in NOTION_BEFORE[0] else self.names


def check_request(names: tuple[str, ...], method: str, target: str, body: bytes) -> None:
    """Path, method, query and body are ones that an operation has. Raises NotDescribedError."""
    url = urlsplit(target)
    operation = _operation(names, method, url.path)
    unknown = {name for name, _ in parse_qsl(url.query)} - operation.query
    if unknown:
        raise NotDescribedError(f"{method} {url.path} has no parameter {sorted(unknown)}")
    if body and operation.request is not None:
        _hold(operation.request, json.loads(body), f"{method} {url.path} sent")


def check_reply(names: tuple[str, ...], method: str, target: str, reply: Reply) -> None:
    """Status and body are ones that the operation answers. Raises NotDescribedError."""
    path = urlsplit(target).path
    operation = _operation(names, method, path)
    status = str(reply.status) if str(reply.status) in operation.replies else "default"
    if status == "default" and method == "GET" and "201" in operation.replies:
        status = "201"  # as Data Center's description says of one list; nothing is created by a GET
    if status not in operation.replies:
        raise NotDescribedError(f"{method} {path} never answers {reply.status}")
    schema = operation.replies[status]
    if reply.body and schema is not None:
        answer = json.loads(reply.body)
        if names in (NOTION, NOTION_BEFORE):
            answer.pop("request_id", None)  # in every answer, and in no description
        _hold(schema, answer if names in (NOTION, NOTION_BEFORE) else _without_nulls(answer), f"{method} {path} answered")


@dataclass
class Schema:
    """A schema in its document, and the shapes that were found to fit it."""

    validator: Any
    seen: set[str] = field(default_factory=set)


@dataclass
class Operation:
    """What a path and method stand for: names of query parameters, the body's schema, a schema for each status."""

    query: set[str]
    request: Schema | None
    replies: dict[str, Schema | None]


def _hold(schema: Schema, value: Any, what: str) -> None:
    shape = json.dumps(_shape(value), sort_keys=True)
    if shape in schema.seen:
        return
    errors = [f"{error.json_path}: {error.message[:200]}" for error in schema.validator.iter_errors(_reduced(value))]
    errors = [error for error in errors if not error.endswith(_FAITHFUL)]
    if errors:
        raise NotDescribedError(f"{what} {errors}")
    schema.seen.add(shape)


def _reduced(value: Any) -> Any:
    """A value whose lists hold one of each shape: a page of a hundred paragraphs is no more than one of one."""
    if isinstance(value, dict):
        return {key: _reduced(part) for key, part in value.items()}
    if isinstance(value, list):
        return list({json.dumps(_shape(part), sort_keys=True): _reduced(part) for part in value}.values())
    return value


def _shape(value: Any) -> Any:
    """A value without its accidents: words stay, since they may be of a list of words; numbers and texts are only such."""
    if isinstance(value, dict):
        return {key: _shape(part) for key, part in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(_shape(part), sort_keys=True) for part in value})
    if isinstance(value, str):
        return value if _WORD.fullmatch(value) else ""
    return type(value).__name__


def described_operation(names: tuple[str, ...], method: str, path: str) -> dict[str, Any]:
    """An operation as the vendor's document has it. Raises NotDescribedError."""
    name, template = _place(names, method, path)
    found: dict[str, Any] = _document(name)["paths"][template][method.lower()]
    return found


@cache
def _operation(names: tuple[str, ...], method: str, path: str) -> Operation:
    return _described(*_place(names, method, path), method.lower())


def _place(names: tuple[str, ...], method: str, path: str) -> tuple[str, str]:
    """The document and the path in it under which an operation is described."""
    for name in names:
        mount = _MOUNTS.get(name, "")
        if not path.startswith(mount):
            continue
        asked = _PREFIXES.get(name, "") + path.removeprefix(mount)
        for template in sorted(_document(name)["paths"], key=lambda one: one.count("{")):
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            if method.lower() in _document(name)["paths"][template] and re.fullmatch(pattern, asked):
                return name, template
    raise NotDescribedError(f"nobody describes {method} {path}")


@cache
def _described(name: str, template: str, method: str) -> Operation:
    document = _document(name)
    found = document["paths"][template][method]
    parameters = (_resolved(one, document) for one in found.get("parameters", []))
    request = _resolved(found.get("requestBody", {}), document)
    replies = {status: _resolved(one, document) for status, one in found["responses"].items()}
    return Operation(
        query={one["name"] for one in parameters if one["in"] == "query"},
        request=_schema(name, request) if "content" in request else None,
        replies={status: _schema(name, one) for status, one in replies.items()},
    )


def _schema(name: str, content: Any) -> Schema | None:
    schema = content.get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return None
    return Schema(jsonschema.Draft202012Validator({"components": _document(name)["components"], **schema}))


@cache
def _document(name: str) -> Any:
    return _readable(json.loads((SPECS / name).read_text()))


def _readable(node: Any) -> Any:
    """OpenAPI's `nullable` as JSON schema says it, and `oneOf` as the `anyOf` that it means (the specs' README)."""
    if isinstance(node, list):
        return [_readable(item) for item in node]
    if not isinstance(node, dict):
        return node
    read = {("anyOf" if key == "oneOf" else key): _readable(value) for key, value in node.items()}
    required = read.get("required")
    if isinstance(required, list):  # Notion's newest still requires what it stopped sending
        read["required"] = [name for name in required if name != "archived"]
    if read.pop("nullable", False) is True and isinstance(read.get("type"), str):
        read["type"] = [read["type"], "null"]
    return read


def _resolved(value: Any, document: Any) -> Any:
    while "$ref" in value:
        part = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            part = part[step]
        value = part
    return value


def _without_nulls(content: Any) -> Any:
    """Live answers hold nulls (a top page's parent, a space's icon) where the descriptions forgot to allow them."""
    if isinstance(content, list):
        return [_without_nulls(item) for item in content]
    if isinstance(content, dict):
        return {key: _without_nulls(value) for key, value in content.items() if value is not None}
    return content
