"""Lists in pages: at most `limit` items after the cursor `after`, and `next`, the address of what follows, null at the end.

A cursor names the last item already known. It stays good while items come, change, or no longer fit a filter.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import dropwhile, islice
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request

from syncd.errors import Misuse
from syncd.store.lists import Part

Item = TypeVar("Item")
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
After = Annotated[str, Query(max_length=1000, description="The cursor of the page before, as `next` names it.")]


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is asked for."""

    request: Request
    limit: int
    after: str

    def cut(
        self, items: Iterable[Item], key: Callable[[Item], str], keep: Callable[[Item], bool] = lambda item: True
    ) -> tuple[Sequence[Item], str | None]:
        """The items of this page among those to `keep`, and the address of the next. Raises Misuse for a foreign cursor."""
        rest = iter(items)
        if self.after:
            known = _read(self.after)
            rest = dropwhile(lambda item: key(item) != known, rest)
            if next(rest, None) is None:
                raise self._foreign()
        return self.page(list(islice(filter(keep, rest), self.limit + 1)), key)

    @property
    def part(self) -> Part:
        """What to ask the store for: this page and one item more. Raises Misuse for a foreign cursor."""
        known = _read(self.after)
        if self.after and not known:
            raise self._foreign()
        return Part(known, self.limit + 1)

    def page(self, found: Sequence[Item], key: Callable[[Item], str]) -> tuple[Sequence[Item], str | None]:
        """The items of this page among those that `part` asked for, and the address of the next."""
        page = found[: self.limit]
        return page, self.at(cursor(key(page[-1]))) if len(found) > self.limit else None

    def _foreign(self) -> Misuse:
        return Misuse("`after` is no cursor of this list.", f"GET {self.request.url.path}")

    def at(self, after: str) -> str:
        """The address of the page behind this cursor."""
        url = self.request.url.include_query_params(after=after)
        return f"{url.path}?{url.query}"


def _paging(request: Request, limit: Limit = 100, after: After = "") -> Paging:
    return Paging(request, limit, after)


Paged = Annotated[Paging, Depends(_paging)]


def cursor(key: str) -> str:
    """A key as a cursor."""
    return urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _read(text: str) -> str:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (Error, ValueError):
        return ""
