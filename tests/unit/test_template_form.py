"""A template in a form: its buttons, and what it comes to."""

from mapping.template import TemplateSection, parse_template
from syncd.web.template_form import SectionForm, TemplateForm, by_control, of_fields, of_template, pressed, table

SUMMARY = TemplateSection("summary", "summary", "Summary")
IMPACT = TemplateSection("impact", "text", "Impact", "Who?", ("region",), "a\nb\n")
FORM = TemplateForm("Ours", title="T", tasks=("debrief",), sections=(SectionForm("0", SUMMARY), SectionForm("1", IMPACT)))


def test_what_is_opened_and_saved_is_the_same_template() -> None:
    template = parse_template("ours", table(FORM))
    assert parse_template("ours", table(of_template(template, "mark"))) == template


def test_a_browser_sends_what_the_form_says() -> None:
    sent = [("name", "Ours"), ("title", "T"), ("tasks", "debrief"), ("kind", "text")]
    for token, section in (("0", SUMMARY), ("1", IMPACT)):
        named = {"id": section.id, "kind": section.kind, "heading": section.heading, "help": section.help}
        sent += [("section", token), *((f"{token}.{name}", value) for name, value in named.items())]
        sent += [(f"{token}.text", section.text.replace("\n", "\r\n"))]
        sent += [(f"{token}.custom_fields", field) for field in section.custom_fields]
    assert of_fields(sent) == FORM


def test_new_sections_are_named_after_their_headings_in_any_letters() -> None:
    form = FORM
    for heading in ("Impact", "Über uns", "影響", "影響"):
        form = pressed(form, "section-add")
        last = form.sections[-1]
        typed = TemplateSection("", "text", heading)
        form = TemplateForm("Ours", title="T", sections=(*form.sections[:-1], SectionForm(last.token, typed)))
    ids = [section["id"] for section in table(form)["sections"]]
    assert ids == ["summary", "impact", "impact-2", "ber-uns", "section", "section-2"]


def test_removed_sections_are_put_back_and_reasons_find_their_fields() -> None:
    removed = pressed(FORM, "section-remove 0")
    assert [section["id"] for section in table(removed)["sections"]] == ["impact"]
    assert by_control(removed, {"sections[1].text": "wrong", "title": "bad", "x": "?"}) == {
        "1.text": "wrong",
        "title": "bad",
        "": "?",
    }
    assert pressed(removed, "section-back 0") == FORM
    assert pressed(FORM, "section-up 0") == FORM
    assert [s.token for s in pressed(FORM, "section-down 0").sections] == ["1", "0"]
