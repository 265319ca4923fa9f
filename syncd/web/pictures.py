"""The pictures of in-house prose, given out so that a browser can do nothing with them but show them."""

from fastapi import FastAPI
from fastapi.responses import Response

from mapping.document import ATTACHMENTS
from syncd.access import Sight
from syncd.errors import UnknownReference
from syncd.store.attachments import Attachment
from syncd.web.site import Site

SAFE = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def mount(web: FastAPI, site: Site) -> None:
    """Adds `/attachments/NAME`."""

    @web.get(ATTACHMENTS + "{name}", include_in_schema=False)
    def picture(name: str) -> Response:
        """For whoever may see an incident that has it."""
        try:
            found = _seen(site, name)
        except UnknownReference as problem:
            return site.missing(problem)
        return Response(found.data, media_type=found.media, headers=SAFE)


def _seen(site: Site, name: str) -> Attachment:
    for ref in site.app.store.incidents_with(name):
        found = site.app.store.attachment(ref, name) if _sees(site.sight, ref) else None
        if found:
            return found
    raise UnknownReference("picture", name)


def _sees(sight: Sight, ref: str) -> bool:
    try:
        return bool(sight.incident(ref))
    except UnknownReference:
        return False
