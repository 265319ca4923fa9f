"""The documentation is complete and true: what exists is described, what is described exists, what is shown can be typed."""

import re
import shlex
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import click
import pytest
from pydantic import BaseModel

from mapping.incident import Incident, PostmortemStatus, SectionKind
from mapping.markdown import from_markdown
from mapping.records import load_records, parse_records
from mapping.template import Template, TemplateSection, parse_template, render_sections
from mapping.template_language import LIBRARY_FILTERS, OWN_FILTERS
from mapping.template_values import INCIDENT
from providers.confluence_links import address
from providers.contract import Refused
from providers.notion_wire import page_of
from syncd.api import create_app
from syncd.api.problems import CODES, STATUS_CODES
from syncd.assembly import assemble
from syncd.cli import main
from syncd.errors import SyncdError
from syncd.flow import ExportStatus
from syncd.pages import PageState
from syncd.settings import DestinationSettings, FieldSettings, Kind, ProviderSettings, Settings, load
from syncd.settings_faces import MailSettings, ProxySettings, TokenSettings, WebhookSettings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ALL = (*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md")))
NAMES = [path.relative_to(ROOT).as_posix() for path in ALL]
API, OPERATING, TEMPLATES = ((DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("api", "operating", "templates"))
PAGE_ID = "0123456789abcdef0123456789abcdef"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def fenced(text: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return [body for kind, body in FENCE.findall(text) if kind == language]


def rows(text: str) -> list[str]:
    """The lines of all tables."""
    return [line for line in text.splitlines() if line.startswith("| ")]


def first_cells(text: str) -> set[str]:
    """What stands in code marks in the first cell of any table's row."""
    return {name for row in rows(text) for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])}


# --- the command line ---------------------------------------------------------------------------------------------------


def commands(group: click.Group, path: tuple[str, ...] = ("syncd",)) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands(main))


def row_of(command: str) -> str:
    """The row of the reference that is about this command."""
    return next(row for row in rows(API) if re.match(rf"\| `{command}[ `]", row) or f"Also `{command}`" in row)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_described_with_its_options(command: str) -> None:
    row = row_of(command)
    options = {p.opts[0] for p in COMMANDS[command].params if isinstance(p, click.Option)} - {"--json", "--config"}
    if "Also `" not in row or f"| `{command}" in row:
        assert options <= set(re.findall(r"--[a-z-]+", row))


def shown_lines() -> Iterator[tuple[str, str]]:
    """Every command that the documentation shows in a shell block, with its file."""
    for path, name in zip(ALL, NAMES, strict=True):
        for block in fenced(path.read_text(encoding="utf-8"), "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                parts = re.split(r"&&|\|", line.partition(" #")[0])
                yield from ((name, part.strip()) for part in parts if part.strip().startswith("syncd"))


@pytest.mark.parametrize(("name", "line"), sorted(set(shown_lines())))
def test_what_is_shown_can_be_typed(name: str, line: str) -> None:
    command: click.Command = main
    context = click.Context(main, info_name="syncd")
    words = shlex.split(line)[1:]
    if words[0].startswith("--"):
        assert words[0] in {option for parameter in main.params for option in parameter.opts}
        return
    while isinstance(command, click.Group):
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, click.Context(found, parent=context)
    command.make_context(line, words, parent=context.parent)


def test_exit_codes_are_described() -> None:
    codes = {0} | {kind.exit_code for kind in _below(SyncdError)}
    assert codes == {int(row.split("|")[1]) for row in rows(API) if re.match(r"\| \d \|", row)}


def _below(kind: type[SyncdError]) -> Iterator[type[SyncdError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _below(below)


# --- settings -----------------------------------------------------------------------------------------------------------

INNER: list[tuple[str, type[BaseModel]]] = [
    ("web.tokens", TokenSettings),
    ("web.proxy", ProxySettings),
    ("notify.mail", MailSettings),
    ("notify.webhooks", WebhookSettings),
]
NAMED: dict[str, type[BaseModel]] = {
    "fields": FieldSettings,
    "providers": ProviderSettings,
    "destinations": DestinationSettings,
}


def settings() -> Iterator[tuple[str, str]]:
    """Every field: its table and its key. The keys of `people` are providers of one's own."""
    for table, field in Settings.model_fields.items():
        if table in NAMED:
            yield from ((table, inner.alias or name) for name, inner in NAMED[table].model_fields.items())
        elif isinstance(field.default, BaseModel):
            yield from ((table, name) for name in type(field.default).model_fields)
        else:
            yield table, ""


@pytest.mark.parametrize(("table", "key"), list(settings()))
def test_every_setting_is_described(table: str, key: str) -> None:
    cells = [row.split(" | ")[0] for row in rows(OPERATING) if row.startswith(f"| `{table}")]
    assert any(re.search(rf"\.{key}`", cell) if key else True for cell in cells)


@pytest.mark.parametrize(("key", "table"), INNER)
def test_every_key_of_a_table_inside_a_table_is_described(key: str, table: type[BaseModel]) -> None:
    (row,) = (row for row in rows(OPERATING) if row.startswith(f"| `{key}` "))
    assert [name for name in table.model_fields if f"`{name}`" not in row] == []


def test_defaults_are_told_right() -> None:
    told = {m[1]: m[2].strip("` ") for row in rows(OPERATING) if (m := re.match(r"\| `(\w+\.\w+)` \| ([^|]+) \|", row))}
    for table in ("sync", "brakes"):
        for key, value in Settings.model_fields[table].default.model_dump().items():
            assert float(told[f"{table}.{key}"]) == value


PAGES_WITH_SNIPPETS = ("quick-start.md", "confluence.md", "notion.md")
SNIPPETS = [(name, text) for name in PAGES_WITH_SNIPPETS for text in fenced((DOCS / name).read_text("utf-8"), "toml")]


@pytest.mark.parametrize(("name", "snippet"), SNIPPETS)
def test_what_is_shown_of_a_configuration_is_one(name: str, snippet: str, tmp_path: Path) -> None:
    path, connected = tmp_path / "config.toml", next(text for page, text in SNIPPETS if page == name)
    path.write_text(f"{connected}\n{snippet}" if snippet.startswith("[people") else snippet, encoding="utf-8")
    loaded = load(path)
    assert loaded.providers and loaded.destinations


def test_every_kind_of_service_is_shown() -> None:
    kinds = Counter(kind for _, text in SNIPPETS for kind in re.findall(r'^kind = "(\w+)"', text, re.MULTILINE))
    assert set(kinds) == set(get_args(Kind))
    assert sum('edition = "data-center"' in text for _, text in SNIPPETS) == 1


def pasted(name: str) -> list[tuple[str, bool]]:
    """The links that a service's page tells of, whole, and whether they are said to be refused."""
    table = (DOCS / name).read_text(encoding="utf-8").partition("### Links that can be pasted")[2].partition("\n## ")[0]
    shown = [(link, "refused" in row) for row in rows(table) for link in re.findall(r"`(\S*/\S+)`", row.split(" | ")[0])]
    whole = [
        ("0123…cdef", PAGE_ID),
        ("fedc…3210", PAGE_ID[::-1]),
        ("8899…aabb", PAGE_ID),
        ("?v=…", "?v=1"),
        ("cp/…", "cp/xY"),
    ]
    site = {"confluence.md": "https://example.atlassian.net/wiki", "notion.md": "https://www.notion.so"}[name]
    for short, long in (*whole, ("…/wiki", "…"), ("…", site)):
        shown = [(link.replace(short, long), refused) for link, refused in shown]
    return shown


@pytest.mark.parametrize(("link", "refused"), pasted("confluence.md"))
def test_confluence_links_are_understood_as_told(link: str, refused: bool) -> None:
    with pytest.raises(Refused) if refused else nullcontext():
        assert address(link, "https://example.atlassian.net/wiki")


@pytest.mark.parametrize(("link", "refused"), pasted("notion.md"))
def test_notion_links_are_understood_as_told(link: str, refused: bool) -> None:
    assert bool(page_of(link, "https://api.notion.com")) != refused


# --- HTTP and the gate --------------------------------------------------------------------------------------------------


def test_every_route_is_described_and_no_other(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.touch()
    built = assemble(config, load(config), lambda per_minute: lambda seconds: None)
    try:
        paths = create_app(built.app).openapi()["paths"]
    finally:
        built.close()
    there = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    told = {(m[1], m[2]) for row in rows(API) if (m := re.match(r"\| ([A-Z]+) \| `([^`]+)` \|", row))}
    assert told == there


def test_every_refusal_is_described() -> None:
    told = {(m[1], code) for row in rows(API) if (m := re.match(r"\| (\d{3}) \| ([^|]+)", row)) for code in m[2].split("`")}
    codes = [(status, code) for _, status, code in CODES] + [(s, c) for s, c in STATUS_CODES.items()]
    assert [code for status, code in codes if (str(status), code) not in told] == []


@pytest.mark.parametrize("status", get_args(ExportStatus))
def test_every_export_status_is_described(status: str) -> None:
    section = API.partition("## Export status")[2].partition("\n## ")[0]
    assert status in first_cells(section)


@pytest.mark.parametrize("state", get_args(PageState))
def test_every_state_of_a_page_has_its_way_out(state: str) -> None:
    assert state in first_cells(OPERATING)


@pytest.mark.parametrize("status", list(PostmortemStatus))
def test_every_status_is_named(status: PostmortemStatus) -> None:
    assert status.value in API


def test_the_incident_that_is_shown_can_be_imported() -> None:
    assert shown_incident().reference == "INC-12"


def shown_incident() -> Incident:
    """The incident of the reference."""
    values, unread = load_records("shown.yaml", fenced(API, "yaml")[0].encode())
    records, refused = parse_records(values, None, from_markdown)
    assert not unread and not refused
    return records[0].incident


# --- templates ----------------------------------------------------------------------------------------------------------


def test_every_key_of_a_template_is_described() -> None:
    said = first_cells(TEMPLATES)
    assert set(Template.__dataclass_fields__) - {"id"} <= said
    assert set(TemplateSection.__dataclass_fields__) <= said
    assert set(get_args(SectionKind)) <= said


def test_every_name_and_filter_is_described() -> None:
    assert {f"incident.{name}" for name in INCIDENT} <= first_cells(TEMPLATES)
    assert [name for name in (*LIBRARY_FILTERS, *OWN_FILTERS) if f"`{name}`" not in TEMPLATES] == []


def test_the_examples_render() -> None:
    whole = next(block for block in fenced(TEMPLATES, "toml") if "[[sections]]" in block)
    templates = [parse_template("whole", tomllib.loads(whole))]
    for example in fenced(TEMPLATES, "jinja"):
        table = {"sections": [{"id": "shown", "heading": "Shown", "text": example}]}
        templates.append(parse_template("example", table))
    assert len(templates) == 5
    for template in templates:
        sections = render_sections(template, shown_incident(), UTC, from_markdown)
        assert any(section.blocks for section in sections)
        assert "{" not in "".join(block.text for section in sections for block in section.blocks)


# --- the house ----------------------------------------------------------------------------------------------------------


def test_every_file_has_its_line() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `((?:mapping|providers|syncd)/[^`]+)` \|", architecture, re.MULTILINE)
    floors = [ROOT / name for name in ("mapping", "providers", "syncd")]
    files = [path for floor in floors for path in floor.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sorted(told) == sorted(path.relative_to(ROOT).as_posix() for path in files)


# --- links --------------------------------------------------------------------------------------------------------------


def links() -> Iterator[tuple[str, str]]:
    """Every link to a file or heading of ours, with the file it stands in."""
    for path, name in zip(ALL, NAMES, strict=True):
        prose = FENCE.sub("", path.read_text(encoding="utf-8"))
        for target in re.findall(r"\]\(([^)\s]+)\)", prose):
            if "://" not in target and not target.startswith("mailto:"):
                yield name, target


@pytest.mark.parametrize(("name", "target"), sorted(set(links())))
def test_links_lead_somewhere(name: str, target: str) -> None:
    file, _, anchor = target.partition("#")
    path = (ROOT / name).parent / file if file else ROOT / name
    assert path.exists()
    assert not anchor or anchor in anchors(path.read_text(encoding="utf-8"))


def anchors(text: str) -> set[str]:
    """The names by which headings are linked."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", NAMES)
def test_documents_wait_for_nothing(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"\b(TODO|FIXME|TBD|lorem)\b", text, re.IGNORECASE)


@pytest.mark.parametrize("name", ["limits.md", "confluence.md", "notion.md"])
def test_what_services_do_says_when_it_was_checked(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    dates = re.findall(r"[Cc]hecked\s+on\s+(\d{4}-\d{2}-\d{2})", text)
    assert dates and all(datetime.fromisoformat(date) for date in dates)


def test_no_provider_is_left_out_of_the_contract_that_keeps_the_sandbox_from_it() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (kept,) = (contract for contract in contracts if contract.get("forbidden_modules") == ["providers.sandbox"])
    there = {f"providers.{path.stem}" for path in (ROOT / "providers").glob("*.py")} - {"providers.__init__"}
    assert set(kept["source_modules"]) == there
