"""What a Confluence site's search index holds and finds: pages as they were a while ago, and people.

The query language is `confluence_cql.py`; how results are shown is each API's own.
"""

from collections.abc import Callable
from datetime import datetime

from providers.sandbox.confluence_cql import Record, UnreadableQueryError, compile_query
from providers.sandbox.confluence_markup import parse, text_of
from providers.sandbox.confluence_records import Account, Page, RefusedError, Version
from providers.sandbox.confluence_site import Site


def pages_found(site: Site, reader: Account, cql: str) -> list[tuple[Page, Version]]:
    """Current pages that somebody may see and that fit the query, each with the version that is indexed: the index lags."""
    test, order = _query(site, cql)
    found = [(page, version) for page, version in _index(site, reader) if test(_record(site, page, version))]
    if order:
        field = order.removeprefix("-")
        found.sort(key=lambda item: _sortable(_record(site, *item)[field]), reverse=order.startswith("-"))
    return found


def people_found(site: Site, cql: str) -> list[Account]:
    """People by their account or the beginning of their name, never by e-mail."""
    test, _ = _query(site, cql)
    return [one for one in site.accounts.values() if test({"user": one.id, "user.fullname": one.name, "type": "user"})]


def _index(site: Site, reader: Account) -> list[tuple[Page, Version]]:
    """What the index holds now: each current page as it was `search_lag` ago."""
    latest = site.clock() - site.search_lag
    found = []
    for page in site.visible_pages(reader):
        known = [version for version in page.versions if version.created_at <= latest]
        if page.status == "current" and known:
            found.append((page, known[-1]))
    return found


def _record(site: Site, page: Page, indexed: Version) -> Record:
    above = site.ancestors(page.parent_id)
    return {
        "id": page.id,
        "title": indexed.title,
        "space": site.spaces[page.space_id].key,
        "type": "page",
        "label": tuple(page.labels),
        "parent": page.parent_id,
        "ancestor": tuple(one.id for one in above),
        "creator": page.author_id,
        "contributor": tuple({version.author_id for version in page.versions}),
        "text": f"{indexed.title} {text_of(parse(indexed.body))}",
        "lastmodified": indexed.created_at,
        "created": page.created_at,
    }


def _query(site: Site, cql: str) -> tuple[Callable[[Record], bool], str]:
    if not cql.strip():
        raise RefusedError(400, "Parameter cql is required")
    try:
        return compile_query(cql, site.clock(), site.zone)
    except UnreadableQueryError as error:
        raise RefusedError(400, str(error)) from error


def _sortable(value: object) -> str:
    return f"{value:%Y%m%d%H%M%S%f}" if isinstance(value, datetime) else str(value).casefold()
