"""How long a merge takes: `.venv/bin/python -m tests.simulation.merge_time`.

Paragraphs of 25 words; each side edits, inserts, deletes and moves a tenth of them. Processor time of one merge, the median
of 25 documents and the worst of them.
"""

import random
import statistics
import time
from dataclasses import replace

from mapping.document import Block, Span, paragraph
from mapping.merge import merge_blocks

SIZES = (60, 300, 1000)
DOCUMENTS = 25
WORDS = [f"word{number}" for number in range(2000)]


def sentence(rng: random.Random) -> Block:
    return paragraph(" ".join(rng.choices(WORDS, k=25)))


def changed(blocks: list[Block], rng: random.Random) -> list[Block]:
    """A copy in which a tenth is changed."""
    made = list(blocks)
    for _ in range(len(blocks) // 10):
        at, act = rng.randrange(len(made)), rng.choice(["edit", "edit", "edit", "insert", "delete", "move"])
        if act == "edit":
            words = made[at].text.split(" ")
            words[rng.randrange(len(words))] = rng.choice(WORDS)
            made[at] = replace(made[at], spans=(Span(" ".join(words)),))
        elif act == "insert":
            made.insert(at, sentence(rng))
        else:
            block = made.pop(at)
            if act == "move":
                made.insert(rng.randrange(len(made)), block)
    return made


def seconds(size: int, rng: random.Random) -> float:
    base = [replace(sentence(rng), native=f"n{number}") for number in range(size)]
    local, remote = changed(base, rng), changed(base, rng)
    started = time.process_time()
    merge_blocks(base, local, remote, "remote")
    return time.process_time() - started


def main() -> None:
    for size in SIZES:
        taken = sorted(1000 * seconds(size, random.Random(number)) for number in range(DOCUMENTS))
        print(f"{size} blocks: median {statistics.median(taken):.1f} ms, worst {taken[-1]:.1f} ms")


if __name__ == "__main__":
    main()
