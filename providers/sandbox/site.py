"""The sandbox's site: a person reads and edits the emulators' pages in a browser, as in the services' own editors.

Answers HTTP like an emulator does, so the same skin serves it. What a page says and how it is changed is the desks'
business (`site_confluence.py`, `site_notion.py`); the looks are in the templates. Only the site itself may change
anything: every change must come from its own origin.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import parse_qs, quote

import jinja2

from providers.sandbox.site_view import (
    EDITORS,
    STATUSES,
    DeniedError,
    Desk,
    MovedOnError,
    NoPageError,
    read_change,
)
from providers.sandbox.wire import Reply

_PAGE = re.compile(r"/site/(confluence|confluence-dc|notion)/([0-9A-Za-z-]{1,64})(/version|/edit)?")
_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?")
_ASSETS = {"/site/style.css": "text/css", "/site/site.js": "text/javascript"}


class Site:
    """The site over `desks`: the services by name, each with the lock that is held while it is read or written.

    `pages` is the directory of the templates, style and script.
    """

    def __init__(self, desks: Mapping[str, tuple[Desk, AbstractContextManager[object]]], pages: Path) -> None:
        self._desks = desks
        self._pages = pages
        loader = jinja2.FileSystemLoader(pages)
        self._templates = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request of a browser."""
        given = {name.lower(): value for name, value in headers.items()}
        bare, _, query = path.partition("?")
        found = _PAGE.fullmatch(bare)
        if found and found[3] == "/edit":
            return self._edit(method, found[1], found[2], given, body)
        if method not in ("GET", "HEAD"):
            return _json(405, {"message": "Only pages are changed here."})
        reply = self._read(bare, query)
        return Reply(reply.status, {**_protection(given.get("host", "")), **reply.headers}, reply.body)

    def _read(self, path: str, query: str) -> Reply:
        embed = parse_qs(query).get("embed") == ["1"]
        if path == "/":
            return self._shelves(embed)
        if path in _ASSETS:
            kind = f"{_ASSETS[path]}; charset=utf-8"
            return Reply(200, {"Content-Type": kind, "Cache-Control": "no-cache"}, (self._pages / path[6:]).read_bytes())
        found = _PAGE.fullmatch(path)
        if found is None or found[1] not in self._desks:
            return self._missing(embed)
        show = self._version if found[3] else self._page
        try:
            return show(found[1], found[2], embed)
        except NoPageError:
            return _json(404, {"message": "This page is gone."}) if found[3] else self._missing(embed)

    def _shelves(self, embed: bool) -> Reply:
        groups = []
        for name, (desk, lock) in self._desks.items():
            with lock:
                groups.append((name, desk.shelves()))
        return self._html("index.html", embed, groups=groups)

    def _page(self, service: str, page_id: str, embed: bool) -> Reply:
        desk, lock = self._desks[service]
        with lock:
            page, version = desk.page(page_id), desk.version(page_id)
        return self._html("page.html", embed, service=service, page=page, version=version, statuses=STATUSES)

    def _version(self, service: str, page_id: str, _embed: bool) -> Reply:
        desk, lock = self._desks[service]
        with lock:
            return _json(200, {"version": desk.version(page_id)})

    def _missing(self, embed: bool) -> Reply:
        return self._html("missing.html", embed, status=404)

    def _html(self, template: str, embed: bool, *, status: int = 200, **about: object) -> Reply:
        text = self._templates.get_template(template).render(embed=embed, editors=EDITORS, **about)
        return Reply(
            status, {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}, text.encode(errors="replace")
        )

    def _edit(self, method: str, service: str, page_id: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if method != "POST":
            return _json(405, {"message": "A change is a POST."})
        if not _same_origin(headers):
            return _json(403, {"message": "Changes are only taken from this site's own pages."})
        try:
            data = json.loads(body)
            change = read_change(data)
            email = data.get("editor", "")
            if not isinstance(email, str) or email not in EDITORS:
                raise ValueError("unknown editor")
        except (ValueError, RecursionError):
            return _json(400, {"message": "This is no change that the site knows."})
        if service not in self._desks:
            return _json(404, {"message": "This page is gone."})
        desk, lock = self._desks[service]
        with lock:
            return _outcome(lambda: desk.apply(page_id, change, email))


class Links:
    """A service's mount that leads people who follow its page links to the site; all else goes to the service.

    `linked` tells the page that a path means, "" for the list of pages, None for what is no link of a person's.
    """

    def __init__(
        self,
        name: str,
        linked: Callable[[str], str | None],
        service: Callable[[str, str, Mapping[str, str], bytes], Reply],
    ) -> None:
        self._name = name
        self._linked = linked
        self._service = service

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request of a client or a person's browser."""
        page = self._linked(path) if method in ("GET", "HEAD") else None
        if page is None:
            return self._service(method, path, headers, body)
        return Reply(302, {"Location": f"/site/{self._name}/{quote(page)}" if page else "/"}, b"")


def _outcome(act: Callable[[], None]) -> Reply:
    try:
        act()
    except NoPageError:
        return _json(404, {"message": "This page is gone."})
    except MovedOnError:
        return _json(409, {"message": "Somebody changed this line meanwhile."})
    except DeniedError as denied:
        return _json(400, {"message": str(denied)})
    return _json(200, {})


def _same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that one of our own pages sent this."""
    host = headers.get("host", "")
    return bool(host) and headers.get("origin") in (f"http://{host}", f"https://{host}")


def _protection(host: str) -> dict[str, str]:
    """Nothing from elsewhere is loaded; pages of the same host, whatever the port, may show the site in a frame."""
    found = _HOST.fullmatch(host)
    frames = f"'self' http://{found[1]}:* https://{found[1]}:*" if found else "'self'"
    policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:"
    return {
        "Content-Security-Policy": f"{policy}; base-uri 'none'; form-action 'none'; frame-ancestors {frames}",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def _json(status: int, data: object) -> Reply:
    kind = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Reply(status, kind, json.dumps(data).encode())
