"""What all web pages share: the templates with the words they know, the links in the frame, and live parts."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from mapping.times import iso
from syncd.access import Sight
from syncd.app import App
from syncd.errors import UnknownReference
from syncd.resources import templates
from syncd.viewer import Role, viewer
from syncd.web.live import Live

TASK_NAMES = {"draft_post_mortem": "Write the post-mortem", "export_post_mortem": "Bring it to its page"}


@dataclass(frozen=True, slots=True)
class Link:
    """A link in the frame of every page, for those who have the role; `name` is what a page calls itself with `here`."""

    name: str
    path: str
    words: str
    role: Role = "read"


class Site:
    """Handed to every page: what it may do (`app`), what it may see (`sight`), how it is rendered, what is live."""

    def __init__(self, app: App, sight: Sight, live: Live) -> None:
        self.app, self.sight, self.live = app, sight, live
        self.links: list[Link] = []
        self.folder = templates() / "web"
        self.environment = Environment(
            loader=FileSystemLoader(self.folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters |= {
            "iso": _moment,
            "initials": _initials,
            "task": _task,
            "ago": _ago,
            "commands": _commands,
        }
        self.environment.globals |= {"asset": self.asset, "site": self, "viewer": viewer}
        self._marks: dict[str, str] = {}

    def asset(self, name: str) -> str:
        """The address of a static file; it changes with the file, so that browsers may keep it."""
        if name not in self._marks:
            self._marks[name] = hashlib.sha256((self.folder / "static" / name).read_bytes()).hexdigest()[:10]
        return f"/static/{name}?{self._marks[name]}"

    def text(self, name: str, values: Mapping[str, Any]) -> str:
        """A template as text, for parts that are sent by themselves."""
        return self.environment.get_template(name).render(values)

    def render(self, name: str, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """A page."""
        return HTMLResponse(self.text(name, values), status)

    def missing(self, problem: UnknownReference) -> HTMLResponse:
        """The page that says that something is not there."""
        return self.render("missing.html", {"message": str(problem)}, 404)

    def events(self, render: Callable[[], str]) -> Response:
        """What `render` answers now and whenever it changes, as server-sent events."""
        return self.live.answer(render)


# --- words --------------------------------------------------------------------------------------------------------------


def _moment(moment: datetime | None) -> str:
    return iso(moment) if moment else ""


def _ago(moment: datetime | None, fallback: str = "not yet") -> Markup:
    """A moment that the script words as "20 s ago" and keeps so."""
    if moment is None:
        return Markup(fallback)
    said = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{0}" data-ago>{1}</time>').format(said, said.replace("T", " ").rstrip("Z"))


def _initials(name: str) -> str:
    words = [word for word in name.replace("@", " ").split() if word[:1].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words[:1])).upper()


def _commands(sentence: str) -> Markup:
    """A sentence whose commands stand between backticks."""
    parts = sentence.split("`")
    said = [Markup("<code>{}</code>").format(part) if index % 2 else escape(part) for index, part in enumerate(parts)]
    return Markup("").join(said)


def _task(name: str) -> str:
    return TASK_NAMES.get(name, name.replace("_", " ").capitalize())
