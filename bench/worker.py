"""A tool under measurement, as a process that is told what to do line by line. Needs nothing but Python and the tool.

A line in is a JSON object with `do`: `rate` (a conversion, again and again), `open` (a place to publish to), `step` (one act
of publishing); a line out is the answer, or `{"error": ...}` in one sentence.
"""

import contextlib
import gc
import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import postmortem

MANY = 1000
PAGE = "INC-12 Checkout returns 502"
STEPS = ("publish", "start", "again", "paragraph", "cell", "many", "start", "many again")
Convert = Callable[[str], object]


class Tool:
    """What a tool can do; what it cannot stays as it is here. `ahead`: how far the double's clock is before the real one."""

    ahead = timedelta()

    def conversions(self) -> Mapping[str, Convert]:
        """By name, of `to_storage`, `from_storage` and `to_blocks`."""
        return {}

    def open(self, place: Mapping[str, str], folder: Path) -> None:
        """Publish to this place from now on: what the double's description says of the service, with its `token`. `folder`
        is an empty directory."""
        raise NotImplementedError

    def put(self, texts: Mapping[str, str]) -> None:
        """Publish these Markdown texts by title: make the pages that are not there yet, bring the others up to date."""
        raise NotImplementedError

    def step(self, name: str, many: int) -> None:
        """One of `STEPS`; `many` is how many pages the last two are about."""
        if name == "start":
            raise NotImplementedError
        if name.startswith("many"):
            texts = (postmortem.small(number) for number in range(many))
            self.put({text.partition("\n")[0].removeprefix("# "): text for text in texts})
            return
        change = {"paragraph": postmortem.CHANGED_PARAGRAPH, "cell": postmortem.CHANGED_CELL}.get(name)
        text = postmortem.markdown(PAGE)
        self.put({PAGE: postmortem.edited(text, change) if change else text})


def rate(convert: Convert, texts: list[str], seconds: float) -> float:
    """Conversions a second of processor time, over texts that all differ, so that nothing can be remembered."""
    convert(texts[0])
    done, begun = 0, time.process_time()
    while time.process_time() - begun < seconds:
        convert(texts[done % len(texts)])
        done += 1
    return done / (time.process_time() - begun)


def serve(tool: Tool) -> None:
    """Do what comes in until it ends. What the tool prints goes to standard error."""
    gc.freeze()  # how much a tool has imported is not what is measured
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        for line in sys.stdin:
            answers.write(json.dumps(_answer(tool, json.loads(line))) + "\n")
            answers.flush()


def _answer(tool: Tool, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        if asked["do"] == "rate":
            convert = tool.conversions().get(asked["what"])
            return {"rate": rate(convert, asked["texts"], asked["seconds"]) if convert else None}
        if asked["do"] == "open":
            tool.open(asked["place"], Path(asked["folder"]))
        else:
            tool.ahead = timedelta(seconds=asked["ahead"])
            tool.step(asked["name"], asked["many"])
        return {}
    except NotImplementedError:
        return {"absent": True}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a tool may fail in any way; the table says so
        return {"error": f"{type(error).__name__}: {error}"[:300]}
