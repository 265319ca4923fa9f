"""The folder provider against a real folder: what is written reads back, and people's files are never harmed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mapping.document import Block, Doc, Mark, Span, heading, paragraph, text_spans
from providers.contract import Done, Missing, Observation, Place, Refused, Rejected, Stale, TitleTaken, Unreachable
from providers.folder import Folder, file_name

PLACE = Place("files", {"path": "postmortems"}, {})
CODE: frozenset[Mark] = frozenset({"code"})


def row(*cells: str) -> Block:
    return Block("row", cells=tuple(text_spans(cell) for cell in cells))


DOC = Doc(
    "INC-12 Checkout returns 502",
    (
        paragraph("In step with incident INC-12"),
        Block("table", rows=(row("Severity", "SEV1"), row("Lead", "")), hint="details"),
        heading("Timeline"),
        Block("table", header=True, rows=(row("Time", "Event", "Details"), row("10:03", "Alert | fired", ""))),
        heading("Follow-ups"),
        Block(
            "task",
            (
                *(Span("Alert on depth "), Span("Ada Byron", "mention", "ada@example.com"), Span(" due ")),
                *(Span("2026-12-01", "date", "2026-12-01"), Span(" "), Span("FU-1", marks=CODE)),
            ),
        ),
        heading("Lessons"),
        Block("panel", text_spans("What did we learn?\nWrite it here.")),
    ),
    (("incident", "INC-12"), ("status", "In progress")),
)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def page(folder: Folder) -> Observation:
    done = folder.create(PLACE, DOC, "INC-12")
    assert isinstance(done, Done)
    assert done.seen
    return done.seen


@pytest.fixture
def file(tmp_path: Path, page: Observation) -> Path:
    return tmp_path / "postmortems" / page.native_id


def edited(doc: Doc, text: str, edit: Callable[[Block], Block]) -> Doc:
    return replace(doc, blocks=tuple(edit(block) if text in block.text else block for block in doc.blocks))


# --- publishing -------------------------------------------------------------------------------------------------------


def test_what_is_published_reads_back_as_projected(folder: Folder, page: Observation) -> None:
    seen = folder.read(PLACE, page.native_id)
    assert folder.project(seen.doc) == folder.project(DOC)
    assert folder.project(folder.project(DOC)) == folder.project(DOC)
    assert (seen.marker, seen.native_id) == ("INC-12", "INC-12 Checkout returns 502.md")
    assert seen.url.startswith("file:///")


def test_the_file_reads_like_one_that_a_person_wrote(file: Path) -> None:
    assert file.read_text() == (
        "---\nincident: INC-12\nstatus: In progress\n---\n\n# INC-12 Checkout returns 502\n\n"
        "In step with incident INC-12\n\n"
        "|  |  |\n|---|---|\n| Severity | SEV1 |\n| Lead |  |\n\n## Timeline\n\n"
        "| Time | Event | Details |\n|---|---|---|\n| 10:03 | Alert \\| fired |  |\n\n## Follow-ups\n\n"
        "- [ ] Alert on depth @Ada Byron due 2026-12-01 `FU-1`\n\n## Lessons\n\n> What did we learn?\\\n> Write it here.\n"
    )


def test_a_second_page_of_the_same_title_is_refused_and_the_first_stays(folder: Folder, file: Path) -> None:
    before = file.read_bytes()
    again = folder.create(PLACE, DOC, "INC-13")
    assert isinstance(again, Rejected)
    assert isinstance(again.error, TitleTaken)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("INC-1 a/b: c?", "INC-1 a-b- c-.md"),
        ("../../etc/passwd", "-..-etc-passwd.md"),
        (".hidden", "hidden.md"),
        ("", "Untitled.md"),
        ("word " * 60, "word " * 22 + "word.md"),
    ],
)
def test_file_names_are_safe_anywhere(title: str, name: str) -> None:
    assert file_name(title) == name
    assert len(file_name("é😀" * 100).encode()) <= 120


def test_find_knows_our_page_a_foreign_one_and_none(folder: Folder, file: Path) -> None:
    found = folder.find(PLACE, "INC-12", "anything")
    assert found
    assert found.native_id == file.name
    assert folder.find(PLACE, "INC-99", "Free") is None
    with pytest.raises(TitleTaken):
        folder.find(PLACE, "INC-99", "INC-12 Checkout returns 502")


# --- writing ----------------------------------------------------------------------------------------------------------


def test_a_write_without_a_change_leaves_the_file_alone(folder: Folder, file: Path, page: Observation) -> None:
    before = file.stat()
    assert folder.write(PLACE, page, page.doc, "") == Done(page.native_id, page)
    after = file.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_write_reads_back_as_projected_and_keeps_the_mode(folder: Folder, file: Path, page: Observation) -> None:
    file.chmod(0o640)
    target = edited(page.doc, "Alert on", lambda block: replace(block, checked=True))
    target = replace(target, title="INC-12 New name", properties=(("incident", "INC-12"), ("status", "Completed")))
    done = folder.write(PLACE, page, target, "")
    assert isinstance(done, Done)
    assert done.seen
    assert folder.project(done.seen.doc) == folder.project(target)
    assert done.native_id == file.name
    assert file.stat().st_mode & 0o777 == 0o640


def test_an_edit_between_read_and_write_is_never_overwritten(folder: Folder, file: Path, page: Observation) -> None:
    file.write_text(file.read_text() + "\nA person was here.\n")
    assert isinstance(folder.write(PLACE, page, replace(page.doc, title="x"), ""), Stale)
    assert file.read_text().endswith("A person was here.\n")


def test_what_people_add_survives_byte_for_byte(folder: Folder, file: Path, page: Observation) -> None:
    text = file.read_text().replace("status:", "tags: [a,  b] # mine\nstatus:")
    text = text.replace("## Lessons", "<div   class=x>\n  <b>kept</b>\n</div>\n\n*   odd\n*   list\n\n## Lessons")
    file.write_text(text)
    seen = folder.read(PLACE, page.native_id)
    target = edited(seen.doc, "Timeline", lambda block: replace(block, spans=text_spans("What happened")))
    assert isinstance(folder.write(PLACE, seen, target, ""), Done)
    assert file.read_text() == text.replace("## Timeline", "## What happened")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_windows_line_ends_stay(folder: Folder, file: Path, page: Observation, mark: str) -> None:
    file.write_bytes((mark + file.read_text()).replace("\n", "\r\n").encode())
    seen = folder.read(PLACE, page.native_id)
    assert seen.marker == "INC-12"
    assert folder.project(seen.doc) == folder.project(page.doc)
    target = replace(seen.doc, blocks=(*seen.doc.blocks, paragraph("one\ntwo"), Block("bullet", text_spans("b"))))
    assert isinstance(folder.write(PLACE, seen, target, ""), Done)
    content = file.read_bytes()
    assert content.startswith(mark.encode())
    assert content.count(b"\n") == content.count(b"\r\n")


# --- what people do to files ------------------------------------------------------------------------------------------


def test_a_renamed_file_is_followed(folder: Folder, file: Path, page: Observation, tmp_path: Path) -> None:
    file.rename(file.with_name("other name.md"))
    assert folder.versions(PLACE, [page.native_id])[page.native_id].version is None
    assert folder.read(PLACE, page.native_id).native_id == "other name.md"
    assert Folder(tmp_path).read(PLACE, page.native_id).native_id == "other name.md"


def test_a_deleted_or_trashed_file_is_missing(folder: Folder, file: Path, page: Observation) -> None:
    trash = file.parent / ".trash"
    trash.mkdir()
    file.rename(trash / file.name)
    with pytest.raises(Missing):
        folder.read(PLACE, page.native_id)
    with pytest.raises(Missing):
        folder.read(PLACE, f".trash/{file.name}")
    assert isinstance(folder.write(PLACE, page, replace(page.doc, title="x"), ""), Stale)
    assert folder.find(PLACE, "INC-12", page.doc.title) is None


def test_a_folder_that_is_away_is_not_a_folder_of_deleted_pages(folder: Folder, file: Path, page: Observation) -> None:
    file.parent.rename(file.parent.with_name("unmounted"))
    with pytest.raises(Unreachable):
        folder.read(PLACE, page.native_id)
    with pytest.raises(Unreachable):
        folder.versions(PLACE, [page.native_id])


@pytest.mark.parametrize("content", [b"\xff\xfe\x00bad", b"---\nincident: [\n---\nx", b"---\njust words\n---\nx"])
def test_what_cannot_be_read_is_refused_by_name_and_left_alone(
    folder: Folder, file: Path, page: Observation, content: bytes
) -> None:
    file.write_bytes(content)
    with pytest.raises(Refused, match=r"INC-12 Checkout returns 502\.md"):
        folder.read(PLACE, page.native_id)
    assert isinstance(folder.write(PLACE, page, replace(page.doc, title="x"), ""), Stale)
    assert file.read_bytes() == content


def test_a_page_without_its_title_is_named_after_its_file(folder: Folder, file: Path, page: Observation) -> None:
    file.write_text(file.read_text().replace("# INC-12 Checkout returns 502\n", ""))
    seen = folder.read(PLACE, page.native_id)
    assert seen.doc.title == "INC-12 Checkout returns 502"
    assert folder.write(PLACE, seen, seen.doc, "") == Done(seen.native_id, seen)


def test_half_written_files_of_a_crash_are_no_pages(folder: Folder, file: Path, page: Observation) -> None:
    text = file.read_bytes()
    for name in (".syncd-0123.tmp", ".INC-12 copy.md"):
        file.with_name(name).write_bytes(text[:40])
    found = folder.find(PLACE, "INC-12", "x")
    assert found
    assert found.native_id == file.name


@pytest.mark.parametrize("native_id", ["../secret.md", "/etc/passwd", "link.md", "a/../../secret.md"])
def test_nothing_outside_of_the_folder_is_read(folder: Folder, file: Path, native_id: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("---\nincident: INC-77\n---\n")
    file.with_name("link.md").symlink_to(secret)
    with pytest.raises(Refused):
        folder.read(PLACE, native_id)
    assert folder.find(PLACE, "INC-77", "x") is None


def test_the_feed_tells_changed_from_unchanged(folder: Folder, file: Path, page: Observation) -> None:
    assert folder.versions(PLACE, [page.native_id])[page.native_id].version == page.version
    file.write_text(file.read_text() + "more\n")
    assert folder.versions(PLACE, [page.native_id])[page.native_id].version != page.version


def test_check_says_what_it_verified(folder: Folder, tmp_path: Path) -> None:
    assert "will be made" in folder.check(PLACE)[0]
    assert not (tmp_path / "postmortems").exists()
    assert "can be written" in folder.check(PLACE, write=True)[0]
    assert list((tmp_path / "postmortems").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused):
        folder.check(Place("files", {"path": "file"}, {}))


def test_a_file_that_is_just_being_saved_is_not_an_emptied_page(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    place = Place("files", {"path": "pages"}, {})
    outcome = folder.create(place, Doc("INC-1 One", (paragraph("Words."),)), "INC-1")
    assert isinstance(outcome, Done)
    path = tmp_path / "pages" / outcome.native_id
    path.write_text("")
    with pytest.raises(Unreachable, match="being saved"):
        folder.read(place, outcome.native_id)
    later = Folder(tmp_path, lambda: path.stat().st_mtime + 3)
    assert later.read(place, outcome.native_id).doc.blocks == ()
