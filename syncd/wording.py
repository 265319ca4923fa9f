"""From the records to the words that a page shows, and back: the vocabulary of an incident, the local view of a page,
new post-mortems from templates, and what a template could not say before and can now.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from zoneinfo import ZoneInfo

from mapping.commands import Command, Set
from mapping.incident import Incident, Person, Postmortem, PostmortemStatus
from mapping.markdown import from_markdown
from mapping.rows import FieldSpec, Vocabulary
from mapping.template import (
    Template,
    TemplateError,
    cut_at_word,
    fill_in,
    from_json,
    render_sections,
    render_text,
    render_title,
    to_json,
)
from mapping.template_values import NOT_SET
from providers.contract import Provider
from syncd.errors import ConfigError
from syncd.local import Local
from syncd.pages import Page
from syncd.store import Store

TITLE_LIMIT = 255  # only to try a title out: each service has its own


@dataclass(frozen=True, slots=True)
class House:
    """What the configuration says about words: the zone of new post-mortems, allowed values, the product's own address."""

    timezone: str = "UTC"
    severities: tuple[str, ...] = ()
    fields: Mapping[str, FieldSpec] = field(default_factory=dict)
    public_url: str = ""


class Wording:
    """Reads the store, changes nothing."""

    def __init__(self, store: Store, house: House) -> None:
        self.store, self.house = store, house

    def vocabulary(self, incident: Incident, postmortem: Postmortem | None) -> Vocabulary:
        """What words mean on this incident's pages."""
        return Vocabulary(
            zone=ZoneInfo(postmortem.zone if postmortem else self.house.timezone),
            people=tuple(self._people(incident)),
            severities=self.house.severities,
            fields=self.house.fields,
            public_url=self.house.public_url,
        )

    def general(self) -> Vocabulary:
        """What words mean where no incident is meant."""
        zone, people = ZoneInfo(self.house.timezone), tuple(self.store.people())
        return Vocabulary(zone, people, self.house.severities, self.house.fields, self.house.public_url)

    def _people(self, incident: Incident) -> list[Person]:
        """Everybody known by e-mail; those of the incident come first, so that a shared name means them."""
        mentioned = [incident.lead, *incident.roles.values(), *(row.assignee for row in incident.follow_ups)]
        near = [person for person in mentioned if person and person.email]
        return list(dict.fromkeys([*near, *self.store.people()]))

    def local(self, page: Page, provider: Provider) -> Local:
        """The store's view of one page now."""
        incident, postmortem = self.store.incident(page.incident), self.store.postmortem(page.incident)
        if incident is None or postmortem is None:
            raise LookupError(f"the page {page.id} belongs to no post-mortem")
        words = self.vocabulary(incident, postmortem)
        made = {row.key: self.store.follow_up_made(row.key) for row in incident.follow_ups}
        return Local(
            incident=incident,
            postmortem=postmortem,
            words=words,
            title=self.title(incident, postmortem, words.zone, provider.capabilities.title_limit),
            home=postmortem.home == page.destination,
            project=provider.project,
            hidden=frozenset(self.store.hidden(page.id)),
            made_here={key: at for key, (at, where) in made.items() if where == page.destination},
            unread=tuple(self.store.unread(page.id)),
            still=self.store.still(page.id),
            pictures=provider.capabilities.pictures,
        )

    def title(self, incident: Incident, postmortem: Postmortem, zone: tzinfo, limit: int) -> str:
        """The page's title as the template says it now; reference and name where what is known does not fit it."""
        try:
            return render_title(postmortem.title, incident, zone, limit)
        except TemplateError:  # the pattern is frozen and said something at creation: only a value can be to blame
            return cut_at_word(" ".join(f"{incident.reference} {incident.name}".split()), limit)

    # --- templates ------------------------------------------------------------------------------------------------------

    def new_postmortem(self, incident: Incident, template: Template, home: str) -> Postmortem:
        """A post-mortem in progress, its prose rendered from the template, its zone frozen. Raises ConfigError where the
        template cannot be rendered."""
        zone = self.house.timezone
        try:
            sections = render_sections(template, incident, ZoneInfo(zone), from_markdown)
            render_title(template.title, incident, ZoneInfo(zone), TITLE_LIMIT)
        except TemplateError as error:
            raise ConfigError([f"template '{template.id}': {error}"], f"syncd template show {template.id}") from error
        return Postmortem(
            incident.reference, template.id, PostmortemStatus.IN_PROGRESS, home, zone, template.title, sections
        )

    def frozen(self, template: Template) -> str:
        """The template as it is kept with a post-mortem."""
        return to_json(template)

    def usual_destination(self, ref: str) -> str:
        """Where the template of this post-mortem belongs; may be empty."""
        return from_json(self.store.postmortem_template(ref)).destination

    def require_written(self, ref: str) -> bool:
        """Whether this post-mortem's flow wants every section written."""
        return from_json(self.store.postmortem_template(ref)).require_written

    def filled_in(self, ref: str) -> list[Command]:
        """What was "not set" when the template was rendered, is known now, and stands in paragraphs that nobody touched."""
        incident, postmortem = self.store.incident(ref), self.store.postmortem(ref)
        if incident is None or postmortem is None:
            return []
        waiting = [s for s in postmortem.sections if any(NOT_SET in block.text for block in s.rendered)]
        if not waiting:
            return []
        template = from_json(self.store.postmortem_template(ref))
        sources = {section.id: section for section in template.sections}
        commands: list[Command] = []
        for section in waiting:
            try:
                now = render_text(template.id, sources[section.id], incident, ZoneInfo(postmortem.zone), from_markdown)
            except TemplateError:  # with these values it says nothing: what stands there goes on standing
                continue
            rendered, blocks = fill_in(section, now)
            if rendered != section.rendered:
                commands.append(Set("section", section.id, "rendered", blocks=rendered))
            if blocks != section.blocks:
                commands.append(Set("section", section.id, "blocks", blocks=blocks))
        return commands
