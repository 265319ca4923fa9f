"""The Confluence Cloud emulator keeps pages as the vendor documents and as live sites were seen to."""

import json
import re
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.confluence_wiki import (
    ADA,
    GRACE,
    NO_CHECK,
    RICH,
    TASKS,
    Wiki,
    storage,
    title_of,
)


@pytest.fixture
def wiki() -> Wiki:
    return Wiki()


# --- who may ask ---


def test_without_credentials_nothing_is_told(wiki: Wiki) -> None:
    assert wiki.site.handle("GET", "/api/v2/pages", {}, b"").status == 401
    assert wiki.site.handle("GET", "/api/v2/pages", {"Authorization": "Basic !!!"}, b"").status == 401


def test_every_user_and_token_is_an_account_of_its_own(wiki: Wiki) -> None:
    def who(authorization: str) -> str:
        reply = wiki.site.handle("GET", "/rest/api/user/current", {"authorization": authorization}, b"")
        return str(json.loads(reply.body)["accountId"])

    assert who("Bearer one") == who("Bearer one") != who("Bearer two")
    _, ada = wiki.call("GET", "/rest/api/user/current", user=ADA)
    assert (ada["displayName"], ada["email"]) == ("Ada Byron", ADA)


# --- creating ---


def test_a_created_page_is_version_one_below_its_parent(wiki: Wiki) -> None:
    page = wiki.create("INC-1 Database down")
    assert page["version"]["number"] == 1
    assert (page["parentId"], page["parentType"], page["status"]) == (wiki.site.parent_id, "page", "current")
    assert page["createdAt"] == "2026-11-20T10:00:00.123Z"
    assert page["id"].isdecimal()
    assert "ncsStepVersion" in page["version"]


def test_without_a_parent_a_page_goes_below_the_homepage(wiki: Wiki) -> None:
    assert wiki.create("Loose", parentId=None)["parentId"] == wiki.site.homepage_id


@pytest.mark.parametrize("missing", ["spaceId", "title", "body"])
def test_create_names_what_is_missing(wiki: Wiki, missing: str) -> None:
    data = {"spaceId": wiki.site.space_id, "title": "T", "body": storage("<p />")}
    status, error = wiki.call("POST", "/api/v2/pages", {**data, missing: None})
    assert status == 400
    assert missing in title_of(error)


def test_a_body_without_representation_is_refused(wiki: Wiki) -> None:
    data = {"spaceId": wiki.site.space_id, "title": "T", "body": {"storage": {"value": "<p />"}}}
    assert wiki.call("POST", "/api/v2/pages", data)[0] == 400
    data["body"] = {"storage": storage("<p />")}
    assert wiki.call("POST", "/api/v2/pages", data)[0] == 200


def test_titles_are_unique_in_the_space_whatever_their_case_or_state(wiki: Wiki) -> None:
    """Row 12, section 2.1: case aside, archived and trashed pages hold titles too; look-ups are exact."""
    archived, trashed = wiki.create("Archived one"), wiki.create("Trashed one")
    wiki.site.archive(archived["id"])
    wiki.site.trash(trashed["id"])
    for title in ("ARCHIVED ONE", "trashed ONE", "post-mortems"):
        data = {"spaceId": wiki.site.space_id, "title": title, "body": storage("<p />")}
        status, error = wiki.call("POST", "/api/v2/pages", data)
        assert status == 400
        assert title_of(error).startswith("A page with this title already exists")
    assert wiki.ok("GET", "/api/v2/pages?title=POST-MORTEMS")["results"] == []


def test_live_documents_say_so(wiki: Wiki) -> None:
    live = wiki.create("Live", subtype="live")
    assert live["subtype"] == "live"
    path = f"/api/v2/pages?id={live['id']},{wiki.site.parent_id}&subtype="
    assert [page["id"] for page in wiki.ok("GET", f"{path}live")["results"]] == [live["id"]]
    assert [page["id"] for page in wiki.ok("GET", f"{path}page")["results"]] == [wiki.site.parent_id]


def test_more_than_five_megabytes_are_too_much(wiki: Wiki) -> None:
    """Row 21, section 2.1."""
    data = {"spaceId": wiki.site.space_id, "title": "Big", "body": storage("x" * (5 * 1024 * 1024))}
    assert wiki.call("POST", "/api/v2/pages", data)[0] == 413


def test_another_spaces_titles_do_not_matter_but_its_pages_cannot_be_parents(wiki: Wiki) -> None:
    other = wiki.site.add_space("LAB", "Lab")
    assert wiki.create("Post-mortems", spaceId=other.id, parentId=None)["spaceId"] == other.id
    data = {"spaceId": other.id, "title": "X", "parentId": wiki.site.parent_id, "body": storage("<p />")}
    assert wiki.call("POST", "/api/v2/pages", data)[0] == 400


# --- the version lock ---


def test_a_stale_version_conflicts_and_changes_nothing(wiki: Wiki) -> None:
    """Row 1, section 2.1: 409 in one of several wordings."""
    page = wiki.create("Lock")
    wordings = set()
    for number in (1, 3, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1):
        status, error = wiki.update(page, "<p>other</p>", number=number)
        assert (status, error["errors"][0]["code"]) == (409, "CONFLICT")
        wordings.add(re.sub(r"\d+", "N", title_of(error)))
    assert len(wordings) > 1
    assert wiki.body(page) == "<p>text</p>"
    status, updated = wiki.update(page, "<p>other</p>")
    assert (status, updated["version"]["number"]) == (200, 2)


def test_a_missing_version_number_is_a_bad_request(wiki: Wiki) -> None:
    page = wiki.create("Number")
    data = {"id": page["id"], "status": "current", "title": "Number", "body": storage("<p />"), "version": {}}
    status, error = wiki.call("PUT", f"/api/v2/pages/{page['id']}", data)
    assert status == 400
    assert title_of(error).startswith("Must supply an incremented version")


def test_the_update_message_and_author_are_kept(wiki: Wiki) -> None:
    page = wiki.create("Message")
    data = {"id": page["id"], "status": "current", "title": "Message", "body": storage("<p />")}
    path = f"/api/v2/pages/{page['id']}"
    wiki.call("PUT", path, {**data, "version": {"number": 2, "message": "by us"}}, user=GRACE)
    version = wiki.ok("GET", f"{path}/versions/2")
    assert version["message"] == "by us"
    assert version["authorId"] == wiki.site.account(GRACE).id
    assert version["prevVersion"] == 1
    assert "nextVersion" not in version


def test_old_bodies_stay_readable(wiki: Wiki) -> None:
    page = wiki.create("History", "<p>one</p>")
    wiki.update(page, "<p>two</p>")
    old = wiki.read(page, "&version=1")
    assert (old["status"], old["body"]["storage"]["value"]) == ("historical", "<p>one</p>")
    listed = wiki.ok("GET", f"/api/v2/pages/{page['id']}/versions?body-format=storage")["results"]
    assert [(v["number"], v["page"]["body"]["storage"]["value"]) for v in listed] == [
        (2, "<p>two</p>"),
        (1, "<p>one</p>"),
    ]
    assert wiki.call("GET", f"/api/v2/pages/{page['id']}?version=9")[0] == 404


def test_restoring_a_version_appends_and_deleting_one_renumbers(wiki: Wiki) -> None:
    """Row 24, section 2.1."""
    page = wiki.create("Restore", "<p>one</p>")
    wiki.update(page, "<p>two</p>")
    path = f"/rest/api/content/{page['id']}/version"
    wiki.ok("POST", path, {"operationKey": "restore", "params": {"versionNumber": 1, "message": "back"}}, **NO_CHECK)
    assert wiki.read(page)["version"]["number"] == 3
    assert wiki.body(page) == "<p>one</p>"
    wiki.ok("DELETE", f"{path}/1", **NO_CHECK)
    assert wiki.read(page)["version"]["number"] == 2


def test_a_title_change_bumps_the_version_and_keeps_the_body_and_follows_in_links(wiki: Wiki) -> None:
    """Row 22, section 5: page links are by title, a rename rewrites them."""
    page = wiki.create("Old name", "<p>a&rsquo;b</p>")
    link = '<p><ac:link><ri:page ri:content-title="Old name" /></ac:link></p>'
    linking = wiki.create("Linking", link)
    renamed = wiki.ok("PUT", f"/api/v2/pages/{page['id']}/title", {"status": "current", "title": "New name"})
    assert (renamed["title"], renamed["version"]["number"]) == ("New name", 2)
    assert wiki.body(page) == "<p>a&rsquo;b</p>"
    assert 'ri:content-title="New name"' in wiki.body(linking)
    assert wiki.read(linking)["version"]["number"] == 1


# --- lists ---


def test_many_pages_by_id_comma_separated_or_repeated(wiki: Wiki) -> None:
    ids = [wiki.create(f"P{n}")["id"] for n in range(4)]
    path = f"/api/v2/pages?id={ids[0]},{ids[1]}&id={ids[3]}&id=1&limit=250"
    results = wiki.ok("GET", path)["results"]
    assert [page["id"] for page in results] == [ids[0], ids[1], ids[3]]
    assert all(page["body"] == {} and page["version"]["number"] == 1 for page in results)


def test_cursors_walk_through_everything_once_though_pages_are_short(wiki: Wiki) -> None:
    """Row 15, section 2.3: only the absence of `next` is the end."""
    made = [wiki.create(f"P{n:02}")["id"] for n in range(11)]
    wiki.site.listing_cap = 3
    seen: list[str] = []
    path = f"/api/v2/spaces/{wiki.site.space_id}/pages?limit=250&sort=-title"
    while path:
        reply = wiki.site.handle("GET", path, {"Authorization": "Bearer t"}, b"")
        content = json.loads(reply.body)
        assert len(content["results"]) <= 3
        seen += [page["id"] for page in content["results"]]
        following = content["_links"].get("next", "")
        assert ('rel="next"' in reply.headers["Link"]) == bool(following)
        assert content["_links"]["base"] == "http://127.0.0.1/confluence/wiki"
        path = following.removeprefix("/confluence/wiki")
    assert len(seen) == len(set(seen)) == 13
    assert [page_id for page_id in seen if page_id in made] == made[::-1]


def test_a_page_that_leaves_during_the_walk_hides_no_other(wiki: Wiki) -> None:
    made = [wiki.create(f"P{n}")["id"] for n in range(6)]
    first = wiki.ok("GET", f"/api/v2/pages?id={','.join(made)}&limit=2")
    wiki.site.trash(made[0])
    second = wiki.ok("GET", first["_links"]["next"].removeprefix("/confluence/wiki"))
    assert [page["id"] for page in second["results"]] == made[2:4]


def test_lists_hold_current_and_archived_unless_asked_otherwise(wiki: Wiki) -> None:
    """Row 16, section 2.1."""
    current, archived, trashed = (wiki.create(title)["id"] for title in ("C", "A", "T"))
    wiki.site.archive(archived)
    wiki.site.trash(trashed)
    path = f"/api/v2/pages?id={current},{archived},{trashed}"
    assert [page["id"] for page in wiki.ok("GET", path)["results"]] == [current, archived]
    assert [page["id"] for page in wiki.ok("GET", f"{path}&status=trashed")["results"]] == [trashed]


@pytest.mark.parametrize("query", ["limit=251", "limit=0", "id=x", "status=odd", "sort=odd", "cursor=odd"])
def test_bad_parameters_are_refused(wiki: Wiki, query: str) -> None:
    assert wiki.call("GET", f"/api/v2/pages?{query}")[0] == 400


def test_representations_it_does_not_speak_are_refused(wiki: Wiki) -> None:
    assert wiki.call("GET", f"/api/v2/pages/{wiki.site.parent_id}?body-format=none")[0] == 400


def test_a_space_is_found_by_its_key(wiki: Wiki) -> None:
    (space,) = wiki.ok("GET", "/api/v2/spaces?keys=OPS")["results"]
    assert (space["id"], space["homepageId"]) == (wiki.site.space_id, wiki.site.homepage_id)
    assert wiki.ok("GET", "/api/v2/spaces?keys=NONE")["results"] == []


def test_behind_a_gateway_links_name_the_sites_own_host(wiki: Wiki) -> None:
    """Row 15, section 1: `_links.base` is the site's host."""
    wiki.site.base_url = "https://example.atlassian.net/wiki"
    links = wiki.ok("GET", "/api/v2/pages?limit=1")["_links"]
    assert links["base"] == "https://example.atlassian.net/wiki"
    assert links["next"].startswith("/wiki/api/v2/pages?")


def test_children_come_in_order_and_follow_a_move(wiki: Wiki) -> None:
    """Row 23, section 2.1."""
    first, second = wiki.create("First"), wiki.create("Second")
    path = f"/api/v2/pages/{wiki.site.parent_id}/children"
    assert [child["title"] for child in wiki.ok("GET", path)["results"]] == ["First", "Second"]
    wiki.ok("PUT", f"/rest/api/content/{second['id']}/move/before/{first['id']}", **NO_CHECK)
    assert [child["title"] for child in wiki.ok("GET", path)["results"]] == ["Second", "First"]
    status, moved = wiki.update(second, "<p>text</p>", parentId=first["id"])
    assert (status, moved["parentId"]) == (200, first["id"])
    assert wiki.update(first, "<p>text</p>", parentId=second["id"])[0] == 400
    assert wiki.read(first)["version"]["number"] == 1
    above = wiki.ok("GET", f"/api/v2/pages/{second['id']}/ancestors")["results"]
    assert [page["id"] for page in above] == [wiki.site.homepage_id, wiki.site.parent_id, first["id"]]


# --- trash, archive, permission ---


def test_a_deleted_page_is_readable_as_trashed_and_comes_back_without_the_body_sent(wiki: Wiki) -> None:
    """Row 13, section 2.1."""
    page = wiki.create("Trash me")
    assert wiki.call("DELETE", f"/api/v2/pages/{page['id']}") == (204, None)
    assert wiki.read(page)["status"] == "trashed"
    status, restored = wiki.update(page, "<p>ignored</p>")
    assert (status, restored["status"]) == (200, "current")
    assert wiki.body(page) == "<p>text</p>"


def test_only_purging_makes_a_page_unknown(wiki: Wiki) -> None:
    """Row 13, section 2.1."""
    page = wiki.create("Purge me")
    path = f"/api/v2/pages/{page['id']}"
    assert wiki.call("DELETE", f"{path}?purge=true")[0] == 400
    wiki.ok("DELETE", path)
    wiki.ok("DELETE", f"{path}?purge=true")
    assert wiki.call("GET", path)[0] == 404
    wiki.create("Purge me")


def test_a_forbidden_page_looks_missing_everywhere(wiki: Wiki) -> None:
    """Row 14, section 2.1: 404 covers both."""
    page = wiki.create("Secret")
    wiki.site.forbid(page["id"])
    assert wiki.call("GET", f"/api/v2/pages/{page['id']}")[0] == 404
    assert wiki.update(page, "<p />")[0] == 404
    assert wiki.ok("GET", f"/api/v2/pages?id={page['id']}")["results"] == []
    wiki.site.allow(page["id"])
    assert wiki.read(page)["title"] == "Secret"


def test_an_archived_page_refuses_updates(wiki: Wiki) -> None:
    """Row 13, section 9."""
    page = wiki.create("Archive me")
    wiki.site.archive(page["id"])
    assert wiki.update(page, "<p />")[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v2/search?cql=x", 404),
        ("POST", "/api/v2/comments", 404),
        ("POST", "/api/v2/pages/98305/labels", 405),
        ("GET", "/rest/api/1.0/content", 404),
        ("GET", "/rest/api/content/1", 410),
        ("POST", "/rest/api/content", 410),
    ],
)
def test_operations_that_do_not_exist(wiki: Wiki, method: str, path: str, status: int) -> None:
    """Section 1: what is gone from v1 answers 410; section 8: endpoints that never were."""
    assert wiki.call(method, path)[0] == status


# --- bodies written through the API ---


@pytest.mark.parametrize(
    "bad",
    [
        "<p>a & b</p>",
        "<p><b>x</p></b>",
        "a<br>b",
        "<input checked />",
        "<p>\x01</p>",
        "<p>\x1c</p>",
        "Map<A,B>",
        "<p>&nosuch;</p>",
        "<p>",
        "</root><root>",
        "<!DOCTYPE x><p />",
        "<p a='1' a='2' />",
        "<ac:plain-text-body><![CDATA[a]]>b]]></ac:plain-text-body>",
        "<b>" * 500 + "</b>" * 500,
    ],
)
def test_malformed_markup_is_refused_and_nothing_is_stored(wiki: Wiki, bad: str) -> None:
    """Row 5, section 5."""
    before = list(wiki.site.pages())
    data = {"spaceId": wiki.site.space_id, "title": "Bad", "body": storage(bad)}
    status, error = wiki.call("POST", "/api/v2/pages", data)
    assert status == 400
    assert title_of(error).startswith("Error parsing xhtml: ")
    assert list(wiki.site.pages()) == before


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("<p>\u201cA\u201d\u00a0\u2013 \u2019 \u2192 \u2194 漢 \U0001f600</p>", None),
        ('<p>5 > 4 "quoted" &apos;</p>', "<p>5 &gt; 4 &quot;quoted&quot; '</p>"),
        ("<p></p><hr/>", "<p /><hr />"),
        ('<p class="x" id="y" data-mine="1" style="a: b;" local-id="k">t</p>', '<p style="a: b;" local-id="k">t</p>'),
        ("<p>a<!-- hidden -->b</p>", "<p>ab</p>"),
        ("<p>a</p>\n\n  <p>b <b>c</b> <i>d</i></p>\n", "<p>a</p><p>b <b>c</b> <i>d</i></p>"),
        ('<a href="http://x/?a=1&amp;b=2" data-card-appearance="inline">x</a>', None),
        ('<table data-z="1" ac:local-id="t"><tbody><tr><td colspan="2">x</td></tr></tbody></table>', None),
    ],
)
def test_what_is_written_comes_back_as_the_service_writes_it(wiki: Wiki, sent: str, stored: str | None) -> None:
    """Rows 4 and 5, sections 5 and 6."""
    body = wiki.body(wiki.create("Written", sent))
    named = "<p>&ldquo;A&rdquo;&nbsp;&ndash; &rsquo; &rarr; &harr; 漢 \U0001f600</p>"
    expected = stored or (named if "漢" in sent else sent.replace(' data-z="1"', ""))
    assert body == expected


def test_macros_are_written_again_with_the_ids_they_had(wiki: Wiki) -> None:
    """Row 2, section 6: re-serialised, sent ids kept."""
    sent = (
        '<ac:structured-macro ac:macro-id="m1" ac:name="status" ac:breakout-mode="wide">'
        '<ac:parameter ac:name="title">A</ac:parameter><ac:parameter ac:name="colour">Red</ac:parameter>'
        '</ac:structured-macro><ac:structured-macro ac:name="code"><ac:plain-text-body>a ]]&gt; &lt;b&gt;'
        "</ac:plain-text-body></ac:structured-macro>"
    )
    body = wiki.body(wiki.create("Macros", sent))
    assert body.startswith(
        '<ac:structured-macro ac:name="status" ac:schema-version="1" ac:macro-id="m1">'
        '<ac:parameter ac:name="colour">Red</ac:parameter><ac:parameter ac:name="title">A</ac:parameter>'
    )
    assert re.search(r'ac:name="code" ac:schema-version="1" ac:macro-id="[0-9a-f-]{36}"', body)
    assert "<![CDATA[a ]]]]><![CDATA[> <b>]]>" in body


def test_what_the_service_wrote_can_be_written_back_unchanged(wiki: Wiki) -> None:
    sent = (
        "<h2>T</h2><ac:task-list><ac:task><ac:task-body>x</ac:task-body></ac:task></ac:task-list>"
        '<ac:structured-macro ac:name="info"><ac:rich-text-body><p>i</p></ac:rich-text-body></ac:structured-macro>'
    )
    page = wiki.create("Again", sent)
    once = wiki.body(page)
    wiki.update(page, once)
    assert wiki.body(page) == once


@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40))
def test_any_text_survives_a_write(text: str) -> None:
    wiki = Wiki()
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("]]>", "]]&gt;")  # XML allows no raw one
    if any(0xFFFE <= ord(char) <= 0xFFFF for char in text):
        return
    page = wiki.create("Any", f"<p>a{escaped}b</p>")
    once = wiki.body(page)
    assert wiki.update(page, once)[0] == 200
    assert wiki.body(page) == once


# --- lag, only when asked for ---


def test_a_lagging_site_hides_new_pages_and_tasks_and_searches_the_past(wiki: Wiki) -> None:
    """Rows 17 and 18, sections 2.4 and 9."""
    wiki.now += timedelta(hours=1)
    wiki.site.create_lag, wiki.site.task_lag = timedelta(seconds=2), timedelta(seconds=5)
    wiki.site.search_lag = timedelta(seconds=30)
    page = wiki.create("Late", TASKS)
    assert wiki.call("GET", f"/api/v2/pages/{page['id']}")[0] == 404
    wiki.now += timedelta(seconds=3)
    assert wiki.read(page)["title"] == "Late"
    assert wiki.ok("GET", f"/api/v2/tasks?page-id={page['id']}")["results"] == []
    wiki.now += timedelta(seconds=27)
    wiki.update(page, "<p />")
    assert wiki.search("title = late", expand="version")[0]["version"]["number"] == 1


# --- the log, and hostile requests ---


def test_requests_are_logged_and_only_accepted_writes_counted(wiki: Wiki) -> None:
    page = wiki.create("Counted")
    wiki.read(page)
    wiki.update(page, "<p />", number=7)
    wiki.ok("POST", "/api/v2/users-bulk", {"accountIds": ["nobody"]})
    assert wiki.site.writes == 1
    assert [method for method, _ in wiki.site.requests] == ["POST", "GET", "PUT", "POST"]


def test_the_same_seed_makes_the_same_site() -> None:
    bodies = []
    for _ in range(2):
        wiki = Wiki()
        page = wiki.create("Same", RICH)
        wiki.site.publish_as_editor(page["id"], RICH, ADA)
        bodies.append((page, wiki.site.current_body(page["id"])))
    assert bodies[0] == bodies[1]


_HOSTILE = st.one_of(
    st.sampled_from([b"", b"{", b"[]", b"null", b'{"title": NaN}', b"[" * 100000, b'{"title": "\\ud800"}', b"\xff"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(["id", "status", "title", "spaceId", "body", "version", "number", "value", "key", "params"]),
                inner,
                max_size=5,
            )
            | st.lists(inner, max_size=3)
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
)


@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"]),
    path=st.sampled_from(
        [
            "/api/v2/pages",
            "/api/v2/pages/163841",
            "/api/v2/pages/163841/title",
            "/api/v2/pages/163841/properties",
            "/api/v2/inline-comments",
            "/api/v2/tasks",
            "/api/v2/users-bulk",
            "/rest/api/content/163841/label",
            "/rest/api/content/163841/version",
            "//[",
            "",
        ]
    ),
    query=st.sampled_from(["", "?limit=x", "?cursor=bnVsbA==", "?version=" + "9" * 5000, "?id=%ff,1", "?cql=%22", "?;&=="]),
    body=_HOSTILE,
)
def test_no_request_breaks_it(method: str, path: str, query: str, body: bytes) -> None:
    site = Wiki().site
    headers = {"Authorization": "Bearer t", "X-Atlassian-Token": "no-check"}
    assert 200 <= site.handle(method, path + query, headers, body).status < 500


# --- every operation once, so that each answer is held against the vendor's description (`described.py`) ---


def test_every_read_of_v2_answers_as_described(wiki: Wiki) -> None:
    page = wiki.create("Described", TASKS + "<p>alpha</p>")
    comment = wiki.comment(page, "alpha")
    footer = wiki.ok("POST", "/api/v2/footer-comments", {"pageId": page["id"], "body": storage("<p>f</p>")})
    wiki.update(page, wiki.body(page) + "<p>more</p>")
    wiki.ok("POST", f"/rest/api/content/{page['id']}/label", [{"prefix": "global", "name": "l"}], **NO_CHECK)
    task = wiki.ok("GET", "/api/v2/tasks")["results"][0]
    known = wiki.ok("GET", f"/api/v2/pages/{page['id']}/properties")["results"][0]
    one, parent, space = f"pages/{page['id']}", f"pages/{wiki.site.parent_id}", f"spaces/{wiki.site.space_id}"
    for path in [
        "pages",
        one,
        *(
            f"{one}/{part}"
            for part in ("versions", "labels", "properties", "footer-comments", "inline-comments", "ancestors")
        ),
        f"{one}/versions/2",
        f"{one}/properties/{known['id']}",
        f"inline-comments/{comment['id']}",
        f"footer-comments/{footer['id']}",
        f"{parent}/children",
        f"{parent}/direct-children",
        "spaces",
        space,
        f"{space}/pages",
        "tasks",
        f"tasks/{task['id']}",
    ]:
        assert wiki.ok("GET", f"/api/v2/{path}").get("results") != [], path
    assert wiki.ok("POST", "/api/v2/users-bulk", {"accountIds": list(wiki.site.accounts)})["results"]


def test_what_is_left_of_v1_answers_as_described(wiki: Wiki) -> None:
    one = f"/rest/api/content/{wiki.create('Described')['id']}"
    wiki.ok("POST", f"{one}/label", [{"prefix": "global", "name": "a"}], **NO_CHECK)
    for path in ("user/current", "search?cql=type=page", "content/search?cql=type=page&expand=version,space"):
        assert wiki.ok("GET", f"/rest/api/{path}")
