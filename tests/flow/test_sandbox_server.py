"""The sandbox as its users meet it: clients over a socket, people in a browser, the process as a whole."""

import json
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from providers.sandbox.confluence import ConfluenceCloud
from providers.sandbox.faults import Fault, Faulty
from providers.sandbox.server import Sandbox
from providers.sandbox.socket_skin import SocketSkin

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "templates" / "web" / "sandbox"
ADA, GRACE = "ada@example.com", "grace@example.com"
NOTION = {"Authorization": "Bearer token", "Notion-Version": "2026-03-11"}
BODY = (
    "<h2>Summary</h2><p>Checkout <strong>failed</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>"
    '<h2>Details</h2><p><ac:structured-macro ac:name="status">'
    '<ac:parameter ac:name="colour">Blue</ac:parameter><ac:parameter ac:name="title">In progress</ac:parameter>'
    "</ac:structured-macro></p><table><tbody><tr><th>Time</th><th>Event</th></tr><tr><td>10:03</td><td>Alert fired</td></tr>"
    "</tbody></table><ac:task-list><ac:task><ac:task-status>incomplete</ac:task-status><ac:task-body>Watch the queue "
    '<ac:link><ri:user ri:account-id="{grace}" /></ac:link> due <time datetime="2026-12-01" /></ac:task-body></ac:task>'
    "</ac:task-list><p>same</p><p>same</p>"
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(0, lambda: datetime(2026, 11, 20, 10, 0, tzinfo=UTC), 7, pages=PAGES)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def browser(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.address, headers={"Origin": sandbox.address}) as client:
        yield client


@pytest.fixture
def wiki_page(sandbox: Sandbox, browser: httpx.Client) -> str:
    """A Confluence page that a client published."""
    grace = sandbox.confluence.account(GRACE).id
    body = {"representation": "storage", "value": BODY.format(grace=grace)}
    given = {"spaceId": sandbox.confluence.space_id, "title": "INC-12", "body": body}
    url = f"{sandbox.description()['confluence']['url']}/api/v2/pages"
    answer = browser.post(url, json=given, auth=("bot@example.com", "secret"))
    return str(answer.raise_for_status().json()["id"])


@pytest.fixture
def notion_page(sandbox: Sandbox, browser: httpx.Client) -> str:
    """A row of the data source that a client made."""
    place = sandbox.description()["notion"]
    grace = next(
        u["id"] for u in browser.get(f"{place['url']}/v1/users", headers=NOTION).json()["results"] if "Grace" in u["name"]
    )
    watch = [text("Watch the "), text("queue", bold=True), {"mention": {"user": {"id": grace}}}]
    rows = [
        {"table_row": {"cells": [[text(one)], [text(two)]]}} for one, two in (("Time", "Event"), ("10:03", "Alert fired"))
    ]
    given = {
        "parent": {"type": "data_source_id", "data_source_id": place["data_source"]},
        "properties": {"Name": {"title": [text("INC-12")]}, "Status": {"status": {"name": "In progress"}}},
        "children": [
            {"paragraph": {"rich_text": [text("<b>bold?</b>")]}},
            {"to_do": {"rich_text": watch}},
            {"table": {"table_width": 2, "has_column_header": True, "children": rows}},
        ],
    }
    return str(browser.post(f"{place['url']}/v1/pages", json=given, headers=NOTION).raise_for_status().json()["id"])


def text(content: str, **annotations: bool) -> dict[str, Any]:
    return {"text": {"content": content}, "annotations": annotations}


@dataclass
class Tag:
    """A tag of a page that a person can act on, with the text in it."""

    attrs: dict[str, str]
    text: str = ""


@dataclass
class Seen(HTMLParser):
    """What a browser finds on a page: the tags that carry an act."""

    tags: list[Tag] = field(default_factory=list)
    _open: list[Tag] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = Tag({name: value or "" for name, value in attrs})
        self.tags.append(found)
        if tag not in ("input", "br", "hr", "meta", "link"):
            self._open.append(found)

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for tag in self._open:
            tag.text += data

    def find(self, act: str, said: str = "") -> dict[str, str]:
        """The attributes of the first tag with that act that says so."""
        return next(tag.attrs for tag in self.tags if act in tag.attrs and said in tag.text)


@dataclass
class Reader:
    """A person in front of one page."""

    browser: httpx.Client
    place: str
    editor: str = ADA

    def look(self) -> Seen:
        seen = Seen()
        seen.feed(self.html())
        return seen

    def html(self) -> str:
        return self.browser.get(self.place).raise_for_status().text

    def version(self) -> str:
        return str(self.browser.get(f"{self.place}/version").raise_for_status().json()["version"])

    def act(self, **change: object) -> httpx.Response:
        return self.browser.post(f"{self.place}/edit", json={"editor": self.editor, **change})

    def type(self, attrs: dict[str, str], *line: object) -> httpx.Response:
        return self.act(op="text", at=attrs["data-at"], was=attrs["data-was"], lines=[line])

    def press(self, op: str, attrs: dict[str, str], **more: object) -> httpx.Response:
        return self.act(op=op, at=attrs[f"data-{op}"], was=attrs["data-was"], **more)


@pytest.fixture
def wiki(browser: httpx.Client, wiki_page: str) -> Reader:
    return Reader(browser, f"/site/confluence/{wiki_page}")


@pytest.fixture
def notion(browser: httpx.Client, notion_page: str) -> Reader:
    return Reader(browser, f"/site/notion/{notion_page}")


def body_of(sandbox: Sandbox, reader: Reader) -> str:
    return sandbox.confluence.current_body(reader.place.rpartition("/")[2])


def blocks_of(sandbox: Sandbox, reader: Reader, kind: str) -> list[Any]:
    return [b for b in sandbox.notion.children_of(reader.place.rpartition("/")[2]) if b["type"] == kind]


# --- the socket ---


def test_every_service_is_where_the_description_says(sandbox: Sandbox, browser: httpx.Client) -> None:
    said = sandbox.description()
    root = sandbox.address
    assert said["confluence"]["url"] == f"{root}/confluence/wiki" and said["confluence"]["space"] == "OPS"
    assert said["confluence_dc"]["url"] == f"{root}/confluence-dc" and said["confluence_dc"]["space"] == "OPS"
    own = f"{said['confluence_dc']['url']}/rest/api/content/{said['confluence_dc']['parent']}"
    assert browser.get(own, headers={"Authorization": "Bearer x"}).json()["title"] == "Post-mortems"
    assert said["notion"]["url"] == f"{root}/notion"
    parent = f"{said['confluence']['url']}/api/v2/pages/{said['confluence']['parent']}"
    assert browser.get(parent, auth=("bot@example.com", "x")).json()["title"] == "Post-mortems"
    for kind, id_ in (("data_sources", said["notion"]["data_source"]), ("pages", said["notion"]["page"])):
        assert browser.get(f"{said['notion']['url']}/v1/{kind}/{id_}", headers=NOTION).status_code == 200
    assert browser.get(parent).status_code == 401
    assert browser.get(f"{said['notion']['url']}/v1/users").status_code == 401


def test_answers_come_at_once_over_one_connection(sandbox: Sandbox, browser: httpx.Client) -> None:
    url = f"{sandbox.description()['confluence']['url']}/api/v2/spaces"
    began = time.monotonic()
    for _ in range(50):
        browser.get(url, auth=("bot@example.com", "x")).raise_for_status()
    assert time.monotonic() - began < 1.5  # delayed acknowledgements alone would take two seconds


def test_many_clients_at_once_are_all_answered(sandbox: Sandbox) -> None:
    place = sandbox.description()["confluence"]

    def create(number: int) -> str:
        body = {"representation": "storage", "value": "<p>x</p>"}
        given = {"spaceId": sandbox.confluence.space_id, "title": f"Page {number}", "body": body}
        answer = httpx.post(f"{place['url']}/api/v2/pages", json=given, auth=("bot@example.com", "x"))
        return str(answer.raise_for_status().json()["id"])

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(create, range(60)))) == 60


def test_stop_hangs_up_and_frees_the_port(sandbox: Sandbox) -> None:
    host, port = "127.0.0.1", int(sandbox.address.rpartition(":")[2])
    with socket.create_connection((host, port)) as idle:
        idle.sendall(b"GET /site/style.css HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(12) == b"HTTP/1.1 200"
        began = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - began < 1
        idle.settimeout(1)
        while idle.recv(65536):
            pass
    again = Sandbox(port, lambda: datetime(2026, 11, 20, tzinfo=UTC), 7, pages=PAGES)
    again.stop()


def test_requests_that_cannot_be_read_are_refused(sandbox: Sandbox) -> None:
    host, port = "127.0.0.1", int(sandbox.address.rpartition(":")[2])
    for header, status in (
        ("Content-Length: many", b"400"),
        ("Content-Length: 99999999999", b"413"),
        ("Transfer-Encoding: chunked", b"411"),
    ):
        with socket.create_connection((host, port)) as connection:
            connection.sendall(f"POST /notion/v1/search HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
            assert connection.recv(65536).split()[1] == status


def test_a_lost_reply_shows_as_a_broken_connection() -> None:
    site = ConfluenceCloud(lambda: datetime(2026, 11, 20, tzinfo=UTC), random.Random(1))
    skin = SocketSkin("127.0.0.1", 0)
    skin.mounts[""] = Faulty(site, [Fault("reply_lost")])
    skin.start()
    given = {"spaceId": site.space_id, "title": "Once", "body": {"representation": "storage", "value": ""}}
    url = f"http://127.0.0.1:{skin.address[1]}/api/v2/pages"
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(url, json=given, auth=("bot@example.com", "x"))
    skin.close()
    assert "Once" in [title for _, title, _ in site.pages()]


def test_the_process_says_where_it_is_and_ends_on_sigterm() -> None:
    program = (
        "import json, sys; from pathlib import Path; from providers.sandbox.server import serve\n"
        "serve(0, lambda said: print(json.dumps(said), flush=True), pages=Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", program, str(PAGES)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        root = said["notion"]["url"].removesuffix("/notion")
        assert "Post-mortems" in httpx.get(root).text
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=2) == 0


# --- the site ---


def test_the_first_page_lists_what_there_is(browser: httpx.Client, wiki: Reader, notion: Reader) -> None:
    index = browser.get("/").text
    assert wiki.place in index and notion.place in index
    assert "In progress" in index


def test_nothing_that_was_written_becomes_markup(wiki: Reader, notion: Reader) -> None:
    wiki.act(op="title", value='"><img src=x>')
    assert "&lt;script&gt;alert(1)" in wiki.html() and "<img" not in wiki.html()
    assert "&lt;b&gt;bold?&lt;/b&gt;" in notion.html()


def test_typing_in_a_task_keeps_its_mention_and_date(sandbox: Sandbox, wiki: Reader) -> None:
    line = wiki.look().find("data-at", "Watch the queue")
    answer = wiki.type(line, "Watch both queues ", {"index": 0}, " due ", {"index": 2})
    assert answer.status_code == 409  # there is no third element
    assert wiki.type(line, "Watch both queues ", {"index": 0}, " due ", {"index": 1}).status_code == 200
    body = body_of(sandbox, wiki)
    grace = sandbox.confluence.account(GRACE).id
    assert (
        f'Watch both queues <ac:link><ri:user ri:account-id="{grace}" /></ac:link> due <time datetime="2026-12-01" />'
        in body
    )
    page = sandbox.confluence.content[wiki.place.rpartition("/")[2]]
    assert (page.number, page.versions[-1].author_id) == (2, sandbox.confluence.account(ADA).id)


def test_a_page_in_confluence_is_edited_line_by_line(sandbox: Sandbox, wiki: Reader) -> None:
    wiki.editor = GRACE
    seen = wiki.look()
    wiki.type(seen.find("data-at", "Checkout"), {"mark": "strong", "content": ["Everything"]}, " failed")
    wiki.type(seen.find("data-at", "Alert fired"), "Alert fired late")
    wiki.press("status", seen.find("data-status"), value="In review")
    wiki.act(op="tick", at=seen.find("data-tick")["data-tick"], checked=True)
    tasks = next(tag.attrs for tag in seen.tags if tag.attrs.get("data-kind") == "task")
    wiki.press("add", tasks, lines=[["Call @Ada Byron before @2026-12-24"]])
    rows = next(tag.attrs for tag in wiki.look().tags if tag.attrs.get("data-kind") == "row")
    wiki.press("add", rows, lines=[["10:20"], ["Rolled back"]])
    wiki.act(op="title", value="INC-12 Checkout")
    html, body = wiki.html(), body_of(sandbox, wiki)
    assert "<strong>Everything</strong> failed" in body
    assert "Alert fired late" in body and "Rolled back" in body
    assert ">Yellow<" in body and ">In review<" in body
    assert "<ac:task-status>complete</ac:task-status>" in body
    ada = sandbox.confluence.account(ADA).id
    assert f'Call <ac:link><ri:user ri:account-id="{ada}" /></ac:link> before <time datetime="2026-12-24" />' in body
    assert "INC-12 Checkout" in html and "Grace Hopkins" in html and "24 Dec 2026" in html


def test_a_removed_task_is_gone(sandbox: Sandbox, wiki: Reader) -> None:
    removals = [tag.attrs for tag in wiki.look().tags if "data-remove" in tag.attrs]
    assert wiki.press("remove", removals[-1]).status_code == 200
    assert "Watch the queue" not in body_of(sandbox, wiki) and "Alert fired" in body_of(sandbox, wiki)


def test_an_edit_follows_its_line_and_never_lands_on_another(sandbox: Sandbox, wiki: Reader) -> None:
    seen = wiki.look()
    page_id = wiki.place.rpartition("/")[2]
    sandbox.confluence.publish_as_editor(page_id, "<p>new</p>" + body_of(sandbox, wiki), GRACE)
    assert wiki.type(seen.find("data-at", "Alert fired"), "Alert fired late").status_code == 200
    assert "Alert fired late" in body_of(sandbox, wiki)
    assert wiki.type(seen.find("data-at", "same"), "which one?").status_code == 409
    gone = body_of(sandbox, wiki).replace("Watch the queue", "Something else")
    sandbox.confluence.publish_as_editor(page_id, gone, GRACE)
    assert wiki.type(seen.find("data-at", "Watch the queue"), "mine").status_code == 409
    assert "Something else" in body_of(sandbox, wiki) and "mine" not in body_of(sandbox, wiki)


def test_what_the_service_refuses_is_told(sandbox: Sandbox, wiki: Reader) -> None:
    answer = wiki.act(op="title", value="Post-mortems")
    assert answer.status_code == 400 and "already exists" in answer.json()["message"]


def test_a_page_in_notion_is_edited_line_by_line(sandbox: Sandbox, notion: Reader) -> None:
    notion.editor = GRACE
    seen = notion.look()
    bold = {"index": 1, "content": [{"mark": "strong", "content": ["queues"]}]}
    notion.type(seen.find("data-at", "Watch"), {"index": 0, "content": ["Watch both "]}, bold, {"index": 2}, " @2026-12-01")
    notion.type(seen.find("data-at", "Alert fired"), "Alert fired, see @Ada Byron")
    notion.act(op="tick", at=seen.find("data-tick")["data-tick"], checked=True)
    notion.act(op="property", name="Status", value="In review")
    notion.act(op="title", value="INC-12 Checkout")
    kinds = {tag.attrs["data-kind"]: tag.attrs for tag in seen.tags if "data-kind" in tag.attrs}
    notion.press("add", kinds["task"], lines=[["New one"]])
    notion.press("add", kinds["row"], lines=[["10:20"], ["Rolled back"]])
    first, second = blocks_of(sandbox, notion, "to_do")
    said = [(item["plain_text"], item["annotations"]["bold"]) for item in first["to_do"]["rich_text"]]
    assert said[:3] == [("Watch both ", False), ("queues", True), ("@Grace Hopkins", False)]
    assert said[-1] == ("2026-12-01", False) and first["to_do"]["checked"]
    assert second["to_do"]["rich_text"][0]["plain_text"] == "New one"
    (table,) = blocks_of(sandbox, notion, "table")
    cells = [
        ["".join(i["plain_text"] for i in c) for c in r["table_row"]["cells"]]
        for r in sandbox.notion.children_of(table["id"])
    ]
    assert cells == [["Time", "Event"], ["10:03", "Alert fired, see @Ada Byron"], ["10:20", "Rolled back"]]
    html = notion.html()
    assert "INC-12 Checkout" in html and "Edited by Grace Hopkins" in html and "<option selected>In review" in html


def test_a_line_that_changed_in_notion_meanwhile_is_left_alone(sandbox: Sandbox, notion: Reader) -> None:
    line = notion.look().find("data-at", "Watch")
    (todo,) = blocks_of(sandbox, notion, "to_do")
    sandbox.notion.ui_edit_text(todo["id"], "theirs", GRACE)
    assert notion.type(line, "mine").status_code == 409
    assert blocks_of(sandbox, notion, "to_do")[0]["to_do"]["rich_text"][0]["plain_text"] == "theirs"


@pytest.mark.parametrize("service", ["wiki", "notion"])
def test_the_version_changes_with_the_page_and_only_then(service: str, request: pytest.FixtureRequest) -> None:
    reader: Reader = request.getfixturevalue(service)
    before = reader.version()
    assert reader.html() and reader.version() == before
    reader.act(op="title", value="Another")
    assert reader.version() != before


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}, {}], ids=str
)
def test_changes_come_from_the_site_alone(sandbox: Sandbox, wiki: Reader, headers: dict[str, str]) -> None:
    change = {"editor": ADA, "op": "title", "value": "Hijacked"}
    answer = httpx.post(f"{sandbox.address}{wiki.place}/edit", json=change, headers=headers)
    assert answer.status_code == 403
    assert httpx.get(f"{sandbox.address}{wiki.place}/edit").status_code == 405
    assert "Hijacked" not in wiki.html()


@pytest.mark.parametrize(
    "change",
    [
        {"op": "destroy"},
        {"op": "text", "lines": "x"},
        {"op": "title", "value": 3},
        {"op": "text", "lines": [[{"mark": "script", "content": ["x"]}]]},
        {"op": "title", "value": "x", "editor": "someone@example.com"},
        {"op": "title", "value": "x", "editor": ["ada@example.com"]},
    ],
    ids=str,
)
def test_what_is_no_change_is_refused(wiki: Reader, change: dict[str, object]) -> None:
    before = wiki.version()
    assert wiki.act(**change).status_code == 400
    assert wiki.version() == before


def test_a_page_can_be_shown_in_a_frame_of_another_port(browser: httpx.Client, wiki: Reader) -> None:
    framed, alone = browser.get(f"{wiki.place}?embed=1"), browser.get(wiki.place)
    assert "X-Frame-Options" not in framed.headers
    assert "frame-ancestors 'self' http://127.0.0.1:*" in framed.headers["Content-Security-Policy"]
    assert 'class="bar"' in alone.text and 'class="bar"' not in framed.text


def test_a_link_to_a_page_leads_to_the_site(sandbox: Sandbox, browser: httpx.Client, wiki: Reader) -> None:
    page_id = wiki.place.rpartition("/")[2]
    link = browser.get(f"/confluence/wiki/spaces/OPS/pages/{page_id}/INC-12")
    assert (link.status_code, link.headers["Location"]) == (302, wiki.place)


def test_a_page_in_data_center_is_found_by_its_links_and_edited(sandbox: Sandbox, browser: httpx.Client) -> None:
    place, site = sandbox.description()["confluence_dc"], sandbox.data_center
    who = site.account(GRACE).id
    body = BODY.format(grace=who).replace("ri:account-id", "ri:userkey")
    given = {"type": "page", "title": "INC-12", "space": {"key": "OPS"}}
    sent = {**given, "body": {"storage": {"value": body, "representation": "storage"}}}
    page = browser.post(f"{place['url']}/rest/api/content", json=sent, auth=("bot@example.com", "x")).json()
    for link in (page["_links"]["webui"], f"/pages/viewpage.action?pageId={page['id']}"):
        assert browser.get(place["url"] + link).headers["Location"] == f"/site/confluence-dc/{page['id']}"
    assert browser.get(f"{place['url']}/display/OPS").headers["Location"] == "/"
    reader = Reader(browser, f"/site/confluence-dc/{page['id']}")
    assert "@Grace Hopkins" in reader.html() and "Confluence Data Center" in reader.html()
    seen = reader.look()
    reader.type(seen.find("data-at", "10:03"), "10:05 @Ada Byron").raise_for_status()
    stored = site.current_body(page["id"])
    assert f'10:05 <ac:link><ri:user ri:userkey="{site.account(ADA).id}" /></ac:link>' in stored
    assert '<span class="placeholder-inline-tasks">' in stored
    reader.act(op="tick", at="1", checked=True).raise_for_status()
    assert "<ac:task-status>complete" in site.current_body(page["id"])


def test_pages_that_are_not_there_say_so(browser: httpx.Client, sandbox: Sandbox, wiki: Reader) -> None:
    sandbox.confluence.trash(wiki.place.rpartition("/")[2])
    for place in (wiki.place, "/site/confluence/1", "/site/notion/nothing", "/site/google/1", "/elsewhere"):
        assert browser.get(place).status_code == 404
    assert browser.get(f"{wiki.place}/version").status_code == 404
    assert wiki.act(op="title", value="x").status_code == 404
