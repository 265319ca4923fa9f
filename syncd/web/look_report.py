"""The report of `look` as one HTML file that needs nothing else; all that the page says is escaped."""

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from syncd.look import Sight
from syncd.resources import templates
from syncd.web.prose import safe_link


def look_html(title: str, url: str, found: Sight) -> str:
    """The whole file."""
    loader = FileSystemLoader(templates() / "web")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("look.html").render(title=title, url=safe_link(url), found=found)
