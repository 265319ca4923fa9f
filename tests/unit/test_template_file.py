"""A template's file edited as a whole: only what changed is written anew, comments and formatting stay."""

import tomllib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.template import DEFAULT_TASKS, HEADINGS, Template, TemplateError, TemplateSection, parse_template
from mapping.template_file import edited, fresh
from syncd.resources import templates

FILE = '''# ours
name = "Ours" # the name
write = "in-house"
tasks = [
  "draft_post_mortem", # by its author
  "debrief",
]

# What happened, in three sentences.
[[sections]]
kind = "summary"   # first

# Who felt it.
# Ask support.
[[sections]]
id = "impact"
kind    =   "text"
heading = 'Impact'  # short
text = """
[[sections]]
Lead: {{ incident.lead }}
"""

# a remark that belongs to nobody

[[sections]]
id = "lessons"
heading = "Lessons"
help = "What now?" # a question
'''


def read(text: str) -> Template:
    return parse_template("ours", tomllib.loads(text.removeprefix("\ufeff")))


OURS = read(FILE)
SUMMARY, IMPACT, LESSONS = OURS.sections


def saved(new: Template, text: str = FILE) -> str:
    made = edited(text, new)
    assert read(made) == new
    return made


def removed(before: str, after: str) -> list[str]:
    left = after.splitlines()
    return [line for line in before.splitlines() if line.strip() and line not in left]


def test_what_is_as_it_was_is_the_same_file() -> None:
    assert saved(OURS) == FILE
    for path in templates().glob("*.toml"):
        text = path.read_text("utf-8")
        assert edited(text, parse_template(path.stem, tomllib.loads(text))) == text


def test_a_changed_key_changes_its_line_alone() -> None:
    made = saved(replace(OURS, name="Theirs", sections=(SUMMARY, replace(IMPACT, heading="Harm"), LESSONS)))
    assert removed(FILE, made) == ['name = "Ours" # the name', "heading = 'Impact'  # short"]
    assert 'name = "Theirs" # the name' in made
    assert 'heading = "Harm"  # short' in made


def test_sections_that_move_take_their_comments_along() -> None:
    made = saved(replace(OURS, sections=(LESSONS, IMPACT, SUMMARY)))
    assert removed(FILE, made) == []
    wanted = ('id = "lessons"', "# Who felt it.", 'id = "impact"', "# What happened", "# first")
    places = [made.index(text) for text in wanted]
    assert places == sorted(places)
    assert "\n\n\n\n" not in made and made.endswith("# first\n")


def test_a_removed_section_goes_with_its_comments() -> None:
    made = saved(replace(OURS, sections=(SUMMARY, LESSONS)))
    assert "Who felt it" not in made and "Lead" not in made
    assert "# What happened" in made and "# a question" in made


def test_a_new_section_says_only_what_is_not_usual() -> None:
    timeline = TemplateSection("timeline", "timeline", "Timeline")
    causes = TemplateSection("causes", "text", "Causes", "Why?", ("region",), 'Because "x"\nand \\ y\n')
    made = saved(replace(OURS, sections=(SUMMARY, timeline, causes, IMPACT, LESSONS)))
    assert '\n\n[[sections]]\nkind = "timeline"\n\n[[sections]]\nid = "causes"\n' in made
    assert 'text = """\nBecause "x"\nand \\\\ y\n"""' in made
    assert removed(FILE, made) == []


def test_tasks_keep_the_comments_of_those_that_stay() -> None:
    made = saved(replace(OURS, tasks=("draft_post_mortem", "review", "export_post_mortem")))
    assert '  "draft_post_mortem", # by its author\n  "review",\n' in made
    assert "debrief" not in made


def test_tasks_that_nobody_named_follow_the_write_location() -> None:
    plain = 'write = "external"\n[[sections]]\nkind = "summary"\n'
    template = parse_template("ours", tomllib.loads(plain))
    inside = replace(template, write="in-house", tasks=DEFAULT_TASKS["in-house"])
    assert "tasks" not in saved(inside, plain)
    assert 'tasks = ["export_post_mortem"]' in saved(replace(template, write="in-house"), plain)
    assert "tasks = []" in saved(replace(template, tasks=()), plain)


def test_what_says_nothing_goes_unless_it_has_a_comment() -> None:
    made = saved(replace(OURS, sections=(SUMMARY, replace(IMPACT, text=""), replace(LESSONS, help=""))))
    assert "Lead" not in made
    assert 'help = "" # a question' in made


def test_a_file_of_another_system_keeps_its_line_ends() -> None:
    windows = "\ufeff" + FILE.replace("\n", "\r\n")
    changed = replace(IMPACT, text="one\ntwo\n")
    made = saved(replace(OURS, sections=(LESSONS, changed)), windows)
    assert made.startswith("\ufeff# ours")
    assert made.count("\n") == made.count("\r\n")


def test_sections_in_one_array_are_edited_too() -> None:
    inline = 'name = "Ours" # the name\nsections = [{kind = "summary"}, {id = "a", heading = "A"}]\n'
    template = parse_template("ours", tomllib.loads(inline))
    assert saved(replace(template, title="T"), inline) == inline + 'title = "T"\n'
    made = saved(replace(template, sections=template.sections[::-1]), inline)
    assert 'name = "Ours" # the name' in made and made.count("[[sections]]") == 2


def test_a_text_between_literal_quotes_stays_so() -> None:
    text = "[[sections]]\nid = 'a'\nheading = 'A'\ntext = '''\nC:\\x\n'''\n"
    template = parse_template("ours", tomllib.loads(text))
    made = saved(replace(template, sections=(replace(template.sections[0], text="C:\\y\nD:\\z\n"),)), text)
    assert made.endswith("text = '''\nC:\\y\nD:\\z\n'''\n")


def test_what_is_no_template_is_not_edited() -> None:
    with pytest.raises(TemplateError, match="not TOML"):
        edited("name = ", OURS)
    with pytest.raises(TemplateError, match="kind"):
        edited('[[sections]]\nkind = "sumary"\n', OURS)


TEXTS = st.text(st.sampled_from("a \n'\"\\#[]é\t\x07{"), max_size=12).filter(lambda text: "{" not in text)
LINES = st.text(st.sampled_from("a '\"\\#[]é"), min_size=1, max_size=8).map(str.strip).filter(bool)
HEADED = LINES.map(lambda text: " ".join(text.split()))


@st.composite
def sections(draw: st.DrawFn) -> tuple[TemplateSection, ...]:
    ids = draw(st.lists(st.sampled_from(["impact", "lessons", "a", "b-c", "summary", "timeline"]), min_size=1, unique=True))
    made = []
    for name in ids:
        if name in HEADINGS:
            made.append(TemplateSection(name, name, draw(HEADED | st.just(HEADINGS[name]))))  # type: ignore[arg-type]
        else:
            fields = tuple(draw(st.lists(st.sampled_from(["x", "y", "z"]), unique=True)))
            made.append(TemplateSection(name, "text", draw(HEADED), draw(TEXTS).strip(), fields, draw(TEXTS)))
    return tuple(made)


DRAFTS = st.builds(
    Template,
    st.just("ours"),
    LINES,
    st.sampled_from(["external", "in-house"]),
    st.sampled_from(["", "wiki"]),
    TEXTS.filter(bool),
    st.lists(st.sampled_from(["debrief", "export_post_mortem", "a"]), unique=True).map(tuple),
    st.booleans(),
    sections(),
)


@settings(max_examples=40)
@given(DRAFTS, DRAFTS)
def test_any_file_becomes_any_template(first: Template, second: Template) -> None:
    assert read(edited(FILE, first)) == first
    between = fresh(first)
    assert read(between) == first
    assert edited(between, first) == between
    assert read(edited(between, second)) == second
