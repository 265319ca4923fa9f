"""Files attached to a page in the emulators, as the facts sheet has them."""

import base64
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.sandbox.confluence import ConfluenceCloud
from providers.sandbox.confluence_dc import ConfluenceDataCenter
from providers.sandbox.wire import Reply

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
Site = ConfluenceCloud | ConfluenceDataCenter
DATA = b"\x89PNG\r\n\x1a\n\x00\xff"


@pytest.fixture(params=[ConfluenceCloud, ConfluenceDataCenter])
def site(request: pytest.FixtureRequest) -> Site:
    made: Site = request.param(lambda: AT, random.Random(7))
    return made


def ask(site: Site, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
    who = {"Authorization": "Basic " + base64.b64encode(b"ada@example.com:secret").decode(), **headers}
    return site.handle(method, path, who, body)


def send(site: Site, method: str, data: bytes = DATA, token: str = "no-check") -> int:
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + data + b"\r\n--x--\r\n"
    told = {"Content-Type": "multipart/form-data; boundary=x", "X-Atlassian-Token": token}
    return ask(site, method, f"/rest/api/content/{site.parent_id}/child/attachment", form, **told).status


def files(site: Site) -> Any:
    return site.content[site.parent_id].files


def test_a_file_is_kept_byte_for_byte_and_listed_by_name(site: Site) -> None:
    assert send(site, "POST") == 200
    assert files(site)["a.png"].data == DATA
    path = f"/rest/api/content/{site.parent_id}/child/attachment"
    if isinstance(site, ConfluenceCloud):
        path = f"/api/v2/pages/{site.parent_id}/attachments"
    assert b"a.png" in ask(site, "GET", f"{path}?filename=a.png").body
    assert b"a.png" not in ask(site, "GET", f"{path}?filename=b.png").body


def test_without_the_header_against_forgery_nothing_is_kept(site: Site) -> None:
    assert send(site, "POST", token="") == 403
    assert not files(site)


def test_a_second_file_of_one_name_is_refused_and_a_put_is_its_next_version(site: Site) -> None:
    assert [send(site, "POST"), send(site, "POST")] == [200, 400]
    if isinstance(site, ConfluenceCloud):
        assert send(site, "PUT", b"other") == 200
        assert (files(site)["a.png"].number, files(site)["a.png"].data) == (2, b"other")


def test_a_form_without_a_file_is_refused(site: Site) -> None:
    told = {"Content-Type": "multipart/form-data; boundary=x", "X-Atlassian-Token": "no-check"}
    path = f"/rest/api/content/{site.parent_id}/child/attachment"
    assert ask(site, "POST", path, b"--x--\r\n", **told).status == 400
