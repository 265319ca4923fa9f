"""The document that everybody is measured with: a post-mortem of some 30 KB, the same at each run, and two edits of it."""

from dataclasses import dataclass

EVENTS, FOLLOW_UPS = 60, 20
_WHAT = ("Alert fired", "Pool exhausted", "Retry storm seen", "Traffic moved", "Rollback begun", "Queue drained")
_PROSE = (
    "The payment gateway kept **every connection** it was given, because its *keep-alive* was longer than ours, and the "
    "pool in front of it never saw one come back. Retries of the checkout then asked for three connections where one had "
    "failed, see [the dashboard](https://grafana.example.com/d/pool) and the metric `pool.waiting`."
)
_ACTION = "Ask the gateway's owners what `max_idle` they run with, and write it into the [runbook](https://example.com/run)"
_CODE = """\
def backoff(attempt: int, base: float = 0.2) -> float:
    # full jitter, so that a thousand clients do not come back together
    return random.uniform(0.0, min(30.0, base * 2**attempt)) if attempt < 8 else float("inf")"""
_CHAPTERS = ("Impact assessment", "Detection", "Root cause", "Response", "What went well", "What went wrong", "Lessons")


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the timeline: a time of day and two cells."""

    time: str
    title: str
    details: str


def events() -> list[Event]:
    """The timeline, one event every two minutes."""
    return [
        Event(
            f"{10 + n // 30:02}:{n % 30 * 2:02}", f"{_WHAT[n % 6]} in zone {n % 3 + 1}, step {n}", f"Seen on *node {n:02}*"
        )
        for n in range(EVENTS)
    ]


def follow_ups() -> list[str]:
    """What is still to be done."""
    return [f"Follow-up {n + 1}: limit what one zone may ask of the gateway at once" for n in range(FOLLOW_UPS)]


def chapters() -> dict[str, str]:
    """The prose by heading, as Markdown: paragraphs, lists, a quote and code, no tables."""
    return {name: _chapter(name, number) for number, name in enumerate(_CHAPTERS)}


def _chapter(name: str, number: int) -> str:
    paragraphs = [f"{name}, part {part + 1}. {_PROSE}" for part in range(6)]
    bullets = [f"- {_ACTION} ({number}.{n})" for n in range(5)]
    steps = [f"{n + 1}. Drain zone {n + 1}, wait for the queue, and look at `pool.waiting` again" for n in range(4)]
    quote = f"> {name} was not obvious to anybody at the time, and that is worth a sentence."
    parts = [*paragraphs, "\n".join(bullets), "\n".join(steps), quote, f"```python\n{_CODE}\n```"]
    return "\n\n".join(parts)


def markdown(title: str = "INC-12 Checkout returns 502", salt: str = "") -> str:
    """The whole post-mortem as one Markdown file. A `salt` makes every paragraph another one, of the same size."""
    rows = [f"| {event.time} | {event.title} | {event.details} |" for event in events()]
    table = "\n".join(["| Time | Event | Details |", "| --- | --- | --- |", *rows])
    tasks = "\n".join(f"- [ ] {task}" for task in follow_ups())
    prose = "\n\n".join(f"## {name}\n\n{text}" for name, text in chapters().items()).replace(
        " was given", f" was given{salt}"
    )
    return f"# {title}\n\n{prose}\n\n## Timeline\n\n{table}\n\n## Follow-ups\n\n{tasks}\n"


CHANGED_PARAGRAPH = ("Root cause, part 2. The payment", "Root cause, part 2. One sentence is new here. The payment")
CHANGED_CELL = (f"{events()[30].title} |", f"{events()[30].title}, corrected |")


def edited(text: str, change: tuple[str, str]) -> str:
    """The text after one change. Raises ValueError when it is not there exactly once."""
    before, after = change
    if text.count(before) != 1:
        raise ValueError(f"“{before}” is there {text.count(before)} times")
    return text.replace(before, after)


def small(number: int) -> str:
    """One of many short pages, for what a thousand of them cost."""
    return (
        f"# INC-{1000 + number} Short one\n\n## Summary\n\nPayments failed in zone {number % 7}.\n\n- [ ] Raise the limit\n"
    )
