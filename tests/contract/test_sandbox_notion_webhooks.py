"""What the Notion emulator tells a subscriber by itself. Row 30 of what is known of the service, section 6."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from itertools import pairwise

import pytest

from providers.sandbox.notion_webhooks import MOST_TRIES, Webhooks
from tests.contract.notion_api import Api, Json, para, text


class Subscriber:
    """Somebody who listens at an address; `status` is what is answered."""

    def __init__(self, api: Api) -> None:
        self.status = 200
        self.heard: list[tuple[Mapping[str, str], bytes]] = []
        self.hooks: Webhooks = api.workspace.webhooks("one", self._post)

    def _post(self, headers: Mapping[str, str], body: bytes) -> int:
        self.heard.append((headers, body))
        return self.status

    def verified(self) -> "Subscriber":
        self.hooks.subscribe()
        assert self.hooks.verify(json.loads(self.heard.pop()[1])["verification_token"])
        return self

    def told(self) -> list[Json]:
        self.hooks.send()
        events = [json.loads(body) for _, body in self.heard]
        self.heard.clear()
        return events


@pytest.fixture
def api() -> Api:
    return Api()


def _kinds(events: list[Json]) -> list[str]:
    return sorted(event["type"] for event in events)


def test_nothing_is_told_before_the_token_of_the_first_request_is_pasted_back(api: Api) -> None:
    """30, Webhooks: the first POST carries `verification_token`."""
    someone = Subscriber(api)
    someone.hooks.subscribe()
    api.page(para("a"))
    assert list(json.loads(someone.heard.pop()[1])) == ["verification_token"]
    assert not someone.hooks.verify("secret_else") and someone.told() == []


def test_events_are_signed_over_the_raw_body(api: Api) -> None:
    """30: `X-Notion-Signature` is HMAC-SHA256 of the raw body, keyed with the token; the envelope of Event types."""
    someone = Subscriber(api).verified()
    page = api.page(para("a"))
    someone.hooks.send()
    headers, body = someone.heard[0]
    wanted = hmac.new(someone.hooks.token.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Notion-Signature"] == f"sha256={wanted}"
    event = json.loads(body)
    assert (event["type"], event["entity"], event["attempt_number"]) == ("page.created", {"id": page, "type": "page"}, 1)
    assert event["data"]["parent"] == {"id": api.workspace.data_source_id, "type": "data_source"}
    assert event["authors"] == [{"id": api.ok("GET", "/v1/users/me")["id"], "type": "bot"}]  # our own edits too


def test_edits_are_gathered_and_may_cancel_out(api: Api) -> None:
    """30: aggregated; `updated_blocks` and `updated_properties`; a title arrives as content."""
    page = api.page(para("a"), para("b"))
    someone = Subscriber(api).verified()
    first = api.children(page)[0]["id"]
    for words in ("x", "y", "z"):
        api.ok("PATCH", f"/v1/blocks/{first}", {"paragraph": {"rich_text": [text(words)]}})
    api.workspace.ui_set_property(page, "Status", "In review")
    events = {event["type"]: event for event in someone.told()}
    assert set(events) == {"page.content_updated", "page.properties_updated"}
    assert events["page.content_updated"]["data"]["updated_blocks"] == [{"id": first, "type": "block"}]
    assert len(events["page.properties_updated"]["data"]["updated_properties"]) == 1
    api.workspace.ui_rename(page, "Other")
    assert _kinds(someone.told()) == ["page.content_updated"]
    for words in ("w", "z"):
        api.ok("PATCH", f"/v1/blocks/{first}", {"paragraph": {"rich_text": [text(words)]}})
    assert someone.told() == []


def test_what_happens_to_a_page_has_its_own_events(api: Api) -> None:
    """30, Event types: moved, locked, deleted, undeleted; comments with their page."""
    page = api.page(para("a"))
    someone = Subscriber(api).verified()
    api.workspace.ui_lock(page)
    api.workspace.ui_move_page(page, api.workspace.page_id)
    assert _kinds(someone.told()) == ["page.locked", "page.moved"]
    api.workspace.ui_comment(api.children(page)[0]["id"], "why?")
    (event,) = someone.told()
    assert (event["type"], event["data"]["page_id"], event["authors"][0]["type"]) == ("comment.created", page, "person")
    api.workspace.trash(page)
    assert _kinds(someone.told()) == ["page.deleted"]
    api.workspace.restore(page)
    assert _kinds(someone.told()) == ["page.undeleted"]


def test_events_come_in_any_order_some_twice_and_some_never(api: Api) -> None:
    """30, delivery: unordered, duplicated, dropped."""
    someone = Subscriber(api).verified()
    someone.hooks.lost, someone.hooks.twice = 0.3, 0.3
    pages = [api.page(para(str(number))) for number in range(40)]
    heard = [event["entity"]["id"] for event in someone.told()]
    assert heard != sorted(heard, key=pages.index)
    assert 0 < len(set(heard)) < 40 and len(heard) > len(set(heard))


def test_what_is_not_accepted_is_tried_again_with_growing_gaps(api: Api) -> None:
    """30, delivery: up to eight tries over about a day, then never again."""
    someone = Subscriber(api).verified()
    someone.status = 500
    api.page(para("a"))
    tries = []
    for minute in range(30 * 60):
        tries += [(minute, event["attempt_number"]) for event in someone.told()]
        api.later(1)
    assert [number for _, number in tries] == list(range(1, MOST_TRIES + 1))
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(tries)]
    assert gaps == sorted(gaps) and 10 * 60 < sum(gaps) < 25 * 60


def test_a_connection_hears_only_of_what_is_shared_with_it(api: Api) -> None:
    """15, 30: what it cannot see it is not told of."""
    page = api.page(para("a"))
    api.workspace.unshare(page, api.ok("GET", "/v1/users/me")["id"])
    someone = Subscriber(api).verified()
    api.workspace.ui_rename(page, "Other")
    assert someone.told() == []
