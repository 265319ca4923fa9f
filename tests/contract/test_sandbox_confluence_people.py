"""What hangs on a page of the Confluence Cloud emulator: editors, drafts, comments, tasks, labels, people, search."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from providers.sandbox.confluence_records import RefusedError
from tests.contract.confluence_wiki import ADA, GRACE, NO_CHECK, RICH, TASKS, Wiki, storage


@pytest.fixture
def wiki() -> Wiki:
    return Wiki()


# --- people ---


def test_a_persons_publish_regenerates_the_body(wiki: Wiki) -> None:
    """Rows 2, 3 and 11, section 6."""
    page = wiki.create("Edited", RICH)
    wiki.site.publish_as_editor(page["id"], RICH, ADA)
    body = wiki.site.current_body(page["id"])
    assert 'ac:macro-id="native"' not in body
    assert 'ac:macro-id="extension"' in body
    assert re.search(r'<ac:structured-macro ac:name="toc" [^>]*data-layout="default" ac:local-id=', body)
    assert re.search(r'<h1 local-id="[0-9a-f]{12}">Summary</h1><p local-id="\w+">loose</p>', body)
    assert re.search(r'<ol start="1" local-id="\w+"><li local-id="\w+"><p local-id="\w+">two</p></li></ol>', body)
    assert "color: rgb(255,0,16);" in body
    assert '<table data-table-width="760" data-layout="default" ac:local-id="mine"><tbody>' in body
    assert "thead" not in body
    assert re.search(r'<td ac:local-id="[0-9a-f-]{36}"><p local-id="\w+">c</p></td>', body)
    assert "Grey" not in body
    version = wiki.read(page)["version"]
    assert (version["number"], version["authorId"]) == (2, wiki.site.account(ADA).id)


def test_two_publishes_differ_only_in_the_ids_of_native_macros(wiki: Wiki) -> None:
    """Row 2, section 6: ids of extensions are stable."""
    page = wiki.create("Twice", RICH)
    wiki.site.publish_as_editor(page["id"], RICH, ADA)
    first = wiki.site.current_body(page["id"])
    wiki.site.publish_as_editor(page["id"], first, ADA)
    second = wiki.site.current_body(page["id"])
    assert first != second

    def without_native(body: str) -> str:
        return re.sub(r'(ac:name="(?:status|info)"[^>]*) ac:macro-id="[^"]*"', r"\1", body)

    assert without_native(first) == without_native(second)


def test_a_person_cannot_take_a_taken_title(wiki: Wiki) -> None:
    page = wiki.create("Mine")
    with pytest.raises(RefusedError, match="already exists"):
        wiki.site.publish_as_editor(page["id"], "<p />", ADA, title="post-mortems")


def test_the_stale_fallback_of_an_extension_is_renewed_only_by_the_editor(wiki: Wiki) -> None:
    """Row 27, section 5."""
    sent = (
        '<ac:adf-extension><ac:adf-node type="panel"><ac:adf-attribute key="panel-type">note</ac:adf-attribute>'
        "<ac:adf-content><p>new</p></ac:adf-content></ac:adf-node>"
        "<ac:adf-fallback><p>old</p></ac:adf-fallback></ac:adf-extension>"
    )
    page = wiki.create("Extension", sent)
    assert wiki.body(page) == sent
    wiki.site.publish_as_editor(page["id"], sent, ADA)
    assert "old" not in wiki.body(page)


def test_a_draft_is_seen_only_by_who_asks_and_makes_no_version(wiki: Wiki) -> None:
    """Row 10, section 3."""
    page = wiki.create("Draft", "<p>a</p><p>b</p>")
    assert wiki.read(page, "&get-draft=true")["status"] == "current"
    wiki.site.save_draft(page["id"], "<p>a</p><p>mine</p>", ADA)
    draft = wiki.read(page, "&get-draft=true")
    assert (draft["status"], draft["version"]["number"]) == ("draft", 1)
    assert "mine" in draft["body"]["storage"]["value"]
    assert wiki.read(page)["version"]["number"] == 1
    assert "mine" not in wiki.body(page)


def test_an_api_write_is_merged_into_a_draft_or_replaces_it(wiki: Wiki) -> None:
    """Row 10, section 3."""
    page = wiki.create("Merge", "<p>x</p>")
    wiki.site.publish_as_editor(page["id"], "<p>a</p><p>b</p>", ADA)
    current = wiki.read(page)
    body = wiki.site.current_body(page["id"])
    wiki.site.save_draft(page["id"], body.replace(">b<", ">mine<"), ADA)
    assert wiki.update(current, body.replace(">a<", ">theirs<"))[0] == 200
    draft = wiki.read(page, "&get-draft=true")["body"]["storage"]["value"]
    assert ">theirs<" in draft
    assert ">mine<" in draft
    assert wiki.update(wiki.read(page), "<p>only this</p>")[0] == 200
    assert wiki.read(page, "&get-draft=true")["body"]["storage"]["value"] == "<p>only this</p>"


def test_a_draft_row_may_linger_after_publishing(wiki: Wiki) -> None:
    """Row 10, section 3: a draft row is not somebody editing."""
    page = wiki.create("Lingering")
    wiki.site.publish_as_editor(page["id"], RICH, ADA)
    assert wiki.read(page, "&get-draft=true")["status"] == "current"
    wiki.site.drafts_linger = True
    wiki.site.publish_as_editor(page["id"], RICH, ADA)
    draft, current = wiki.read(page, "&get-draft=true"), wiki.read(page)
    assert (draft["status"], current["status"]) == ("draft", "current")
    texts = [re.sub(r'ac:macro-id="[^"]*"', "", p["body"]["storage"]["value"]) for p in (draft, current)]
    assert texts[0] == texts[1]


def test_drafts_through_the_api(wiki: Wiki) -> None:
    """Row 10, section 2.1: a draft is saved with number 1."""
    page = wiki.create("Api draft")
    assert wiki.update(page, "<p>d</p>", number=2, status="draft")[0] == 400
    assert wiki.update(page, "<p>d</p>", number=1, status="draft")[0] == 200
    assert wiki.body(page) == "<p>text</p>"
    wiki.ok("DELETE", f"/api/v2/pages/{page['id']}?draft=true")
    assert wiki.call("DELETE", f"/api/v2/pages/{page['id']}?draft=true")[0] == 404
    fresh = wiki.create("", status="draft")
    assert fresh["status"] == "draft"
    status, published = wiki.update({**fresh, "title": "Named"}, "<p>p</p>", number=1)
    assert (status, published["version"]["number"], published["status"]) == (200, 1, "current")


# --- comments ---


def test_an_inline_comment_changes_the_stored_body_without_a_version(wiki: Wiki) -> None:
    """Row 6, section 3."""
    page = wiki.create("Commented", "<p>We lost <b>all our</b> data, all our</p>")
    comment = wiki.comment(page, "lost all our data")
    ref = comment["properties"]["inline-marker-ref"]
    opened = f'<ac:inline-comment-marker ac:ref="{ref}">'
    after = wiki.read(page)
    assert after["version"] == page["version"]
    assert after["body"]["storage"]["value"] == (
        f"<p>We {opened}lost </ac:inline-comment-marker><b>{opened}all our</ac:inline-comment-marker></b>"
        f"{opened} data</ac:inline-comment-marker>, all our</p>"
    )
    assert wiki.comments(page, "open") == [comment["id"]]


def test_a_write_without_the_marker_leaves_the_comment_dangling_until_it_returns(wiki: Wiki) -> None:
    """Row 7, section 7."""
    page = wiki.create("Dangling", "<p>alpha beta</p>")
    comment = wiki.comment(page, "beta")
    marked = wiki.body(page)
    wiki.update(page, "<p>alpha beta</p>")
    assert wiki.comments(page, "dangling") == [comment["id"]]
    data = {"version": {"number": 2}, "body": storage("<p>x</p>"), "resolved": True}
    assert wiki.call("PUT", f"/api/v2/inline-comments/{comment['id']}", data)[0] == 400
    wiki.update(wiki.read(page), marked.replace("alpha", "gamma"))
    assert wiki.comments(page, "dangling") == []
    assert wiki.comments(page, "open,reopened") == [comment["id"]]


def test_a_resolved_comment_keeps_its_marker_and_may_be_reopened(wiki: Wiki) -> None:
    """Section 7."""
    page = wiki.create("Resolve", "<p>alpha</p>")
    comment = wiki.comment(page, "alpha")
    path = f"/api/v2/inline-comments/{comment['id']}"
    for number, resolved, expected in ((2, True, "resolved"), (3, False, "reopened")):
        reply = wiki.ok("PUT", path, {"version": {"number": number}, "body": storage("<p>x</p>"), "resolved": resolved})
        assert reply["resolutionStatus"] == expected
        assert "ac:inline-comment-marker" in wiki.body(page)


def test_a_selection_must_match_as_often_as_said(wiki: Wiki) -> None:
    page = wiki.create("Matches", "<p>a b a</p><p>c</p>")
    wiki.comment(page, "a", count=2, index=1)
    assert re.fullmatch(r"<p>a b <ac:inline-comment-marker [^>]*>a</ac:.*", wiki.body(page))
    anchor = {"textSelection": "ac", "textSelectionMatchCount": 1, "textSelectionMatchIndex": 0}
    data = {"pageId": page["id"], "body": storage("<p>x</p>"), "inlineCommentProperties": anchor}
    assert wiki.call("POST", "/api/v2/inline-comments", data)[0] == 400


def test_a_marker_goes_around_a_link_and_markers_nest(wiki: Wiki) -> None:
    """Row 6, section 7."""
    link = '<ac:link><ri:page ri:content-title="Post-mortems" /><ac:link-body>the list</ac:link-body></ac:link>'
    page = wiki.create("Links", f"<p>see {link} now</p>")
    wiki.comment(page, "see the list")
    wiki.comment(page, "list now")
    body = wiki.body(page)
    assert re.search(r"(<ac:inline-comment-marker [^>]+>){2}<ac:link>", body)
    assert body.count("the list</ac:link-body>") == 1


def test_footer_comments_and_replies_leave_the_page_alone(wiki: Wiki) -> None:
    """Row 8, section 3."""
    page = wiki.create("Footer")
    comment = wiki.ok("POST", "/api/v2/footer-comments", {"pageId": page["id"], "body": storage("<p>hi</p>")})
    wiki.ok("POST", "/api/v2/footer-comments", {"parentCommentId": comment["id"], "body": storage("<p>ho</p>")})
    listed = wiki.ok("GET", f"/api/v2/pages/{page['id']}/footer-comments?body-format=storage")["results"]
    assert [one["body"]["storage"]["value"] for one in listed] == ["<p>hi</p>"]
    replies = wiki.ok("GET", f"/api/v2/footer-comments/{comment['id']}/children")["results"]
    assert [one["parentCommentId"] for one in replies] == [comment["id"]]
    assert wiki.read(page)["version"]["number"] == 1
    wiki.ok("DELETE", f"/api/v2/footer-comments/{comment['id']}")
    assert wiki.call("GET", f"/api/v2/footer-comments/{comment['id']}")[0] == 404


# --- tasks ---


def test_tasks_are_read_from_the_body(wiki: Wiki) -> None:
    """Row 9, section 2.1: `localId` is the text of `ac:task-id`."""
    page = wiki.create("Tasks", TASKS)
    first, second = wiki.ok("GET", f"/api/v2/tasks?page-id={page['id']}")["results"]
    assert (first["localId"], first["assignedTo"], first["dueAt"]) == ("4", "who", "2026-12-01T00:00:00.000Z")
    assert (second["localId"], second["status"]) == ("5", "incomplete")
    assert re.search(r"<ac:task-id>5</ac:task-id><ac:task-uuid>[0-9a-f-]{36}</ac:task-uuid>", wiki.body(page))


@pytest.mark.parametrize("through_the_api", [True, False])
def test_ticking_edits_the_body_and_makes_a_version(wiki: Wiki, through_the_api: bool) -> None:
    """Row 9, section 3."""
    page = wiki.create("Tick", TASKS)
    before = wiki.body(page)
    task = wiki.ok("GET", f"/api/v2/tasks?page-id={page['id']}")["results"][0]
    if through_the_api:
        assert wiki.call("PUT", f"/api/v2/tasks/{task['id']}", {"status": "complete"}, user=ADA)[0] == 200
    else:
        wiki.site.tick(page["id"], "4", True, ADA)
    assert wiki.body(page) == before.replace("incomplete", "complete", 1)
    assert wiki.read(page)["version"]["number"] == 2
    done = wiki.ok("GET", f"/api/v2/tasks?page-id={page['id']}&status=complete")["results"]
    assert [(one["id"], one["completedBy"]) for one in done] == [(task["id"], wiki.site.account(ADA).id)]


def test_copied_checkboxes_with_one_id_are_one_task(wiki: Wiki) -> None:
    page = wiki.create("Copied", TASKS + TASKS.replace("<ac:task><ac:task-body>other</ac:task-body></ac:task>", ""))
    for _ in range(2):
        wiki.update(wiki.read(page), wiki.body(page))
    tasks = wiki.ok("GET", f"/api/v2/tasks?page-id={page['id']}")["results"]
    assert [task["localId"] for task in tasks] == ["4", "5"]


def test_a_task_that_left_the_body_leaves_the_list(wiki: Wiki) -> None:
    page = wiki.create("Gone", TASKS)
    wiki.update(page, "<p />")
    assert wiki.ok("GET", f"/api/v2/tasks?page-id={page['id']}")["results"] == []


# --- labels and properties ---


def test_labels_are_written_by_v1_and_read_by_v2_without_a_version(wiki: Wiki) -> None:
    """Row 8, section 2.1."""
    page = wiki.create("Labels")
    path, labels = f"/rest/api/content/{page['id']}/label", [{"prefix": "global", "name": "post/mortem"}]
    status, error = wiki.call("POST", path, labels)
    assert (status, error["statusCode"]) == (403, 403)
    wiki.ok("POST", path, labels, **NO_CHECK)
    wiki.ok("POST", path, [{"prefix": "global", "name": "two"}], **NO_CHECK)
    listed = wiki.ok("GET", f"/api/v2/pages/{page['id']}/labels")["results"]
    assert [label["name"] for label in listed] == ["post/mortem", "two"]
    wiki.ok("DELETE", f"{path}?{urlencode({'name': 'post/mortem'})}", **NO_CHECK)
    assert [x["name"] for x in wiki.read(page, "&include-labels=true")["labels"]["results"]] == ["two"]
    assert wiki.read(page)["version"]["number"] == 1


def test_properties_go_by_numeric_id_and_have_a_lock_of_their_own(wiki: Wiki) -> None:
    """Rows 8 and 20, section 2.1."""
    page = wiki.create("Properties")
    path = f"/api/v2/pages/{page['id']}/properties"
    made = wiki.ok("POST", path, {"key": "syncd", "value": {"a": [1, None]}})
    assert (made["version"]["number"], made["value"]) == (1, {"a": [1, None]})
    assert wiki.call("POST", path, {"key": "syncd", "value": 1})[0] == 409
    assert wiki.call("POST", path, {"key": "editor", "value": "v2"})[0] == 409
    assert wiki.call("PUT", f"{path}/syncd", {"key": "syncd", "value": 2, "version": {"number": 2}})[0] == 404
    stale = {"key": "syncd", "value": 2, "version": {"number": 1}}
    assert wiki.call("PUT", f"{path}/{made['id']}", stale)[0] == 409
    wiki.ok("PUT", f"{path}/{made['id']}", {**stale, "version": {"number": 2}})
    assert wiki.ok("GET", f"{path}?key=SYNCD")["results"] == []
    (found,) = wiki.ok("GET", f"{path}?key=syncd")["results"]
    assert (found["value"], found["version"]["number"]) == (2, 2)
    wiki.ok("DELETE", f"{path}/{made['id']}")
    assert wiki.call("GET", f"{path}/{made['id']}")[0] == 404
    assert wiki.read(page)["version"]["number"] == 1


def test_a_property_holds_32_kilobytes_at_most(wiki: Wiki) -> None:
    """Row 20, section 2.1."""
    path = f"/api/v2/pages/{wiki.site.parent_id}/properties"
    assert wiki.call("POST", path, {"key": "big", "value": "x" * 32767})[0] == 400
    assert wiki.call("POST", path, {"key": "big", "value": "x" * 32766})[0] == 200


# --- people and search ---


def test_people_are_found_by_the_beginning_of_their_names_not_by_mail(wiki: Wiki) -> None:
    def found(cql: str) -> list[str]:
        results = wiki.ok("GET", f"/rest/api/search/user?{urlencode({'cql': cql})}")["results"]
        return [result["user"]["email"] for result in results]

    assert found('user.fullname~"gra hop"') == [GRACE]
    assert found('type=user AND user.fullname ~ "Ada"') == [ADA]
    assert found(f'user="{wiki.site.account(ADA).id}"') == [ADA]
    assert found('user.fullname~"ada@example.com"') == []


def test_users_by_account_id(wiki: Wiki) -> None:
    ada = wiki.site.account(ADA).id
    (user,) = wiki.ok("POST", "/api/v2/users-bulk", {"accountIds": [ada, "nobody"]})["results"]
    assert (user["accountId"], user["email"], user["displayName"]) == (ada, ADA, "Ada Byron")


def test_search_by_title_space_id_and_recency(wiki: Wiki) -> None:
    old = wiki.create("INC-1 Old")
    wiki.now += timedelta(hours=2)
    new = wiki.create("INC-2 New")
    assert [p["id"] for p in wiki.search('space = ops and title = "inc-1 old"')] == [old["id"]]
    assert [p["id"] for p in wiki.search('type=page AND lastmodified >= now("-15m")')] == [new["id"]]
    assert [p["id"] for p in wiki.search(f"id in ({old['id']}, {new['id']}) order by title desc")] == [
        new["id"],
        old["id"],
    ]
    assert wiki.search('title ~ "inc*" and not (id = 1)', expand="version")[0]["version"]["number"] == 1
    wiki.site.trash(new["id"])
    assert wiki.search(f"id = {new['id']}") == []


@pytest.mark.parametrize("cql", ["", "nofield = 1", "title =", 'lastmodified > "soon"', "(" * 300, "id = 1 id = 2"])
def test_unreadable_queries_are_refused_in_the_v1_envelope(wiki: Wiki, cql: str) -> None:
    status, error = wiki.call("GET", f"/rest/api/search?{urlencode({'cql': cql})}")
    assert (status, error["statusCode"]) == (400, 400)


def test_search_pages_by_a_cursor_relative_to_the_context(wiki: Wiki) -> None:
    """Row 15, section 2.3."""
    made = [wiki.create(f"S{n}")["id"] for n in range(5)]
    path, seen = "/rest/api/content/search?" + urlencode({"cql": "title ~ s", "limit": 2}), []
    while path:
        content = wiki.ok("GET", path)
        seen += [page["id"] for page in content["results"]]
        path = content["_links"].get("next", "")
        assert not path or path.startswith("/rest/api/content/search?")
    assert seen == made
