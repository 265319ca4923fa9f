"""`doctor --write` in Confluence, in both editions: each step is said, what is missing is named, the page is trash."""

from collections.abc import Iterator, Mapping

import pytest

from providers.confluence_check import TEST_TITLE
from providers.contract import ProviderError, Unauthorized, Unreachable
from providers.sandbox.faults import Fault
from providers.sandbox.wire import Emulator, Reply
from tests.contract.test_confluence import EDITIONS, Bench, alive

STEPS = ("made", "edited", "reads as it was written", "commented on", "labelled", "do not watch", "moved to the trash")
PAGES, COMMENTS = ("/api/v2/pages", "/rest/api/content"), ("comment", "child/comment")
SCOPE = b'{"code":401,"message":"Unauthorized; scope does not match"}'


@pytest.fixture(params=EDITIONS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield Bench(edition=request.param)


def said(bench: Bench) -> list[str]:
    return list(bench.provider.check(bench.place, write=True))


def refused(bench: Bench) -> ProviderError:
    with pytest.raises(ProviderError) as error:
        said(bench)
    return error.value


def trashed(bench: Bench) -> list[str]:
    return [title for _, title, status in bench.site.pages() if status == "trashed"]


def test_each_step_is_said_and_the_page_ends_in_the_trash(bench: Bench) -> None:
    before = alive(bench)
    lines = said(bench)[-len(STEPS) :]
    assert [step in line for step, line in zip(STEPS, lines, strict=True)] == [True] * len(STEPS), lines
    (left,) = trashed(bench)
    assert left.startswith(TEST_TITLE) and alive(bench) == before
    bench.wait(1)
    said(bench)  # again, though trashed pages keep their titles


def is_create(method: str, path: str) -> bool:
    return method == "POST" and path.partition("?")[0] in PAGES


def is_edit(method: str, path: str) -> bool:
    return method == "PUT"


def is_trash(method: str, path: str) -> bool:
    return method == "DELETE" and "watch" not in path


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize(
    ("step", "permission"), [(is_create, "Pages: Add"), (is_edit, "Pages: Add"), (is_trash, "Pages: Delete")]
)
def test_a_missing_permission_is_named_and_nothing_is_left(bench: Bench, step: object, permission: str, status: int) -> None:
    assert callable(step)
    before = alive(bench)
    bench.faulty.script.append(Fault("status", step, status))
    error = refused(bench)
    assert isinstance(error, Unauthorized) and f"“{permission}”" in str(error)
    if step is is_trash:
        assert len(alive(bench)) == len(before) + 1
    else:
        assert alive(bench) == before


def test_a_page_that_stays_is_named(bench: Bench) -> None:
    bench.faulty.script += [Fault("status", is_edit, 403), Fault("status", is_trash, 403)]
    error = refused(bench)
    assert TEST_TITLE in str(error) and "remove it by hand" in str(error)


@pytest.mark.parametrize(("part", "words"), [("comment", "comments are out of reach"), ("label", "cannot be labelled")])
def test_what_we_can_do_without_is_only_said(bench: Bench, part: str, words: str) -> None:
    steps = {
        "comment": lambda m, p: m == "POST" and ("comment" in p or (p in PAGES and bool(alive(bench)[2:]))),
        "label": lambda m, p: m == "POST" and p.partition("?")[0].endswith("/label"),
    }
    bench.faulty.script.append(Fault("status", steps[part], 403))
    lines = said(bench)
    assert any(words in line for line in lines) and "trash" in lines[-1]


def test_a_service_that_does_not_answer_is_no_missing_permission(bench: Bench) -> None:
    before = alive(bench)
    bench.faulty.script += [Fault("status", is_edit, 502)]
    assert isinstance(refused(bench), Unreachable)
    assert alive(bench) == before


class Scoped:
    """The site for a token that lacks a scope: edits are refused in the gateway's words."""

    def __init__(self, site: Emulator) -> None:
        self.site = site

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        return Reply(401, {}, SCOPE) if is_edit(method, path) else self.site.handle(method, path, headers, body)


def test_a_missing_scope_is_named_as_such() -> None:
    bench = Bench()
    bench.faulty.emulator = Scoped(bench.faulty.emulator)
    assert "the token lacks the scope write:page:confluence" in str(refused(bench))
