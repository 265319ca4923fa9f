"""Pictures in prose: taken in by what they are, shown safely, told in words where they cannot come along."""

import pytest

from mapping.document import Block, Span
from mapping.markdown import from_markdown
from mapping.pictures import name_of, names_in, told
from syncd.errors import Misuse
from syncd.store.attachments import LARGEST, picture
from syncd.web.prose import prose

NAME = f"{'0f' * 16}.png"
OURS, ELSEWHERE = f"![graph](/attachments/{NAME})", "![chart](https://example.com/chart.png)"


@pytest.mark.parametrize(
    ("data", "media"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xff\xd8\xff\xe0...", "image/jpeg"),
        (b"GIF89a...", "image/gif"),
        (b"RIFF\0\0\0\0WEBP...", "image/webp"),
    ],
)
def test_what_a_picture_is_is_told_by_its_bytes(data: bytes, media: str) -> None:
    found = picture(data)
    assert found.media == media
    assert name_of(f"/attachments/{found.name}") == found.name


@pytest.mark.parametrize("data", [b"", b"<svg onload='alert(1)'/>", b"<html>", b"%PDF-1.7", b"RIFF\0\0\0\0WAVE"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(Misuse, match="no picture"):
        picture(data)


def test_too_large_a_picture_is_refused() -> None:
    with pytest.raises(Misuse, match="10 MiB"):
        picture(b"\x89PNG\r\n\x1a\n" + bytes(LARGEST))


@pytest.mark.parametrize(
    "ref", ["https://x/attachments/a.png", f"/attachments/../{NAME}", f"/attachments/{NAME}.html", NAME]
)
def test_only_addresses_of_ours_are_pictures_of_ours(ref: str) -> None:
    assert name_of(ref) == ""
    assert "<img" not in prose([Block("paragraph", (Span("x", "image", link=ref),))])


def test_a_picture_from_elsewhere_is_never_loaded_and_no_link_runs_anything() -> None:
    assert prose(from_markdown(ELSEWHERE)) == (
        '<p><a href="https://example.com/chart.png" rel="noopener noreferrer" target="_blank">chart</a></p>'
    )
    assert "javascript" not in prose(from_markdown("![x](javascript:alert)"))
    assert prose(from_markdown(OURS)) == f'<p><img src="/attachments/{NAME}" alt="graph" loading="lazy"></p>'


def test_pictures_that_cannot_come_along_are_told_by_their_descriptions() -> None:
    blocks = from_markdown(f"See {OURS} and {ELSEWHERE}.\n\n| a |\n|---|\n| {OURS} |")
    assert names_in(blocks) == [NAME]
    assert told(blocks) == from_markdown(f"See graph and {ELSEWHERE}.\n\n| a |\n|---|\n| graph |")
