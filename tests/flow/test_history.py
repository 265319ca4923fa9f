"""Nothing is gone: the journal as a story, texts that come back, choices that are undone. Through the command line."""

from pathlib import Path

import pytest

from tests.flow.test_cli import Desk, desk

__all__ = ["desk"]


WRITTEN = "Nobody could pay.\n\nNinety minutes were lost."


@pytest.fixture(autouse=True)
def _who(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCD_USER", "Grace Hopkins")


def swap(desk: Desk, old: str, new: str) -> None:
    """Somebody saves the page."""
    text = desk.page.read_text()
    assert old in text
    desk.page.write_text(text.replace(old, new))


def line(desk: Desk, words: str) -> str:
    """The number of the last journal line that says this."""
    return str([told["id"] for told in desk.json("journal", "INC-12") if words in told["says"]][-1])


def test_the_journal_tells_the_story_in_sentences(desk: Desk) -> None:
    desk.published()
    desk.type("followup", "edit", "FU-1", "--title", "Alert on queue age")
    desk.type("once")
    swap(desk, "The checkout queue was full.", "The checkout queue was very full.")
    swap(desk, "- [ ] Alert", "- [x] Alert")
    swap(desk, "| SEV1 |", "| SEV9 |")
    desk.type("once", code=1)
    told = desk.type("journal", "INC-12").stdout
    for sentence in (
        "recorded the incident “Checkout returns 502”",
        "Grace Hopkins made the post-mortem from the template ours.",
        "syncd, on pages, made the page “INC-12 Checkout returns 502”.",
        "Grace Hopkins changed the title of FU-1 from “Alert on queue depth” to “Alert on queue age”.",
        "Somebody, on the page on pages:",
        "ticked FU-1.",
        "changed the summary of the incident: “The checkout queue was full.” became “The checkout queue was very full.”",
        "typed “SEV9” as the severity of details, which nobody understands",
    ):
        assert sentence in told, (sentence, told)


def test_a_paragraph_deleted_on_the_page_comes_back_and_what_was_written_since_stays(desk: Desk) -> None:
    desk.published()
    desk.type(
        "postmortem", "edit", "INC-12", "--section", "impact", "--text", "Nobody could pay.\n\nNinety minutes were lost."
    )
    desk.type("once")
    swap(desk, "Nobody could pay.\n\n", "")
    desk.type("once")
    swap(desk, "Ninety minutes", "A hundred minutes")
    desk.type("once")
    assert "Nobody could pay." not in desk.page.read_text()
    desk.type("restore", "INC-12", line(desk, "removed “Nobody could pay.” from the section impact"))
    desk.type("once")
    assert "Nobody could pay.\n\nA hundred minutes were lost." in desk.page.read_text()


def test_a_value_that_a_sync_replaced_comes_back(desk: Desk) -> None:
    desk.published()
    swap(desk, "Alert on queue depth", "Alert on queue age")
    desk.type("once")
    number = line(desk, "changed the title of FU-1")
    desk.type("restore", "INC-12", f"#{number}")
    desk.type("once")
    assert "Alert on queue depth" in desk.page.read_text()
    assert "no journal line" in desk.type("restore", "INC-12", "99999", code=2).stderr
    assert "replaced no text" in desk.type("restore", "INC-12", line(desk, "made the page"), code=2).stderr


def test_every_text_that_a_write_took_off_the_page_is_in_the_journal_whole(desk: Desk) -> None:
    desk.published()
    long = " ".join(f"word{number}" for number in range(200))
    swap(desk, "| Severity | SEV1 |", f"| Severity | {long} |")
    desk.type("once", code=1)
    desk.type("incident", "edit", "INC-12", "--severity", "SEV2")
    desk.type("once")
    assert "word199" not in desk.page.read_text()
    lines = desk.json("journal", "INC-12")
    assert any(long in told["old"] for told in lines if told["direction"] == "out")
    assert any(long == told["new"] for told in lines if "nobody understands" in told["says"])


def conflict(desk: Desk) -> str:
    desk.published()
    swap(desk, "Alert on queue depth", "Alert on queue age")
    desk.type("followup", "edit", "FU-1", "--title", "Alert on queue length")
    return str(desk.json("once", code=1)["conflicts"][0]["id"])


@pytest.mark.parametrize(
    ("choice", "stands"),
    [
        (("--take", "page"), "Alert on queue age"),
        (("--take", "store"), "Alert on queue length"),
        (("--take", "both"), "Alert on queue length / Alert on queue age"),
        (("--text", "Alert on both"), "Alert on both"),
    ],
)
def test_a_choice_is_undone_and_another_is_made(desk: Desk, choice: tuple[str, str], stands: str) -> None:
    number = conflict(desk)
    desk.type("conflicts", "resolve", number, *choice)
    desk.type("once")
    assert f"- [ ] {stands} `FU-1`" in desk.page.read_text()
    assert f"syncd conflicts undo {number}" in desk.type("conflicts", "show", number).stdout
    desk.type("conflicts", "undo", number)
    assert desk.json("once", code=1)["conflicts"][0]["id"] == number
    assert "- [ ] Alert on queue length `FU-1`" in desk.page.read_text()
    desk.type("conflicts", "resolve", number, "--take", "page")
    desk.type("once")
    assert "Alert on queue age" in desk.page.read_text()
    assert "took back the choice" in desk.type("journal", "INC-12").stdout


def test_a_choice_in_prose_is_undone_around_what_was_written_since(desk: Desk, tmp_path: Path) -> None:
    desk.published()
    swap(desk, "The checkout queue was full.", "The checkout queue was overfull.")
    desk.type("incident", "edit", "INC-12", "--summary", "The checkout queue was blocked.")
    (found,) = desk.json("once", code=1)["conflicts"]
    (tmp_path / "mine.md").write_text("The checkout queue was full of retries.\n")
    desk.type("conflicts", "resolve", found["id"], "--file", str(tmp_path / "mine.md"))
    desk.type("once")
    swap(desk, "full of retries.\n", "full of retries.\n\nSupport was told late.\n")
    desk.type("once")
    desk.type("conflicts", "undo", found["id"])
    desk.type("once", code=1)
    text = desk.page.read_text()
    assert "was overfull." in text and "Support was told late." in text and "retries" not in text


def test_a_choice_that_somebody_changed_since_is_not_undone(desk: Desk) -> None:
    number = conflict(desk)
    assert "is open" in desk.type("conflicts", "undo", number, code=2).stderr
    desk.type("conflicts", "resolve", number, "--take", "page")
    desk.type("followup", "edit", "FU-1", "--title", "Alert on anything")
    assert "syncd restore INC-12" in desk.type("conflicts", "undo", number, code=2).stderr
    assert desk.json("incident", "show", "INC-12")["follow_ups"][0]["title"] == "Alert on anything"


def test_a_resolved_conflict_stays_resolved(desk: Desk) -> None:
    number = conflict(desk)
    desk.type("conflicts", "resolve", number, "--take", "store")
    for _ in range(2):
        desk.type("resync", "INC-12")
        assert desk.json("once")["conflicts"] == []
