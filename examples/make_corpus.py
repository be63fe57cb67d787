"""Writes the text that `spaces/tiny_lm.space` learns: small stories from a grammar with agreement and memory.

    python examples/make_corpus.py > spaces/corpus.txt

A story keeps its people and their things, so a model that looks further back reads it better.
"""

from __future__ import annotations

import random
import sys

PEOPLE = {"Anna": "she", "Bela": "she", "Carl": "he", "Dora": "she", "Emil": "he", "Finn": "he"}
PLACES = ("the mill", "the river", "the old bridge", "the market", "the quiet wood", "the harbour")
THINGS = ("a lantern", "a red kite", "a loaf of bread", "a silver coin", "a letter", "a small boat")
WEATHER = ("the rain had stopped", "the wind was cold", "the snow lay deep", "the sun was low", "it was late")
DOINGS = ("sang", "waited", "laughed", "wept a little", "told an old tale", "slept until dawn")


def story(rng: random.Random) -> str:
    """Five or six sentences about two people and one thing that changes hands."""
    (first, she), (second, he) = rng.sample(sorted(PEOPLE.items()), 2)
    thing, (here, there) = rng.choice(THINGS), rng.sample(PLACES, 2)
    known = "the " + thing.split(" ", 1)[1]
    lines = [
        f"One evening {first} went to {here}, for {rng.choice(WEATHER)}.",
        f"There {she} found {thing} and took it with {'her' if she == 'she' else 'him'}.",
        f"At {there} {she} met {second}, who {rng.choice(DOINGS)}.",
        f'"What have you there?" asked {second}. "It is {thing}," said {first}, "from {here}."',
    ]
    if rng.random() < 0.6:
        lines.append(f"So {first} gave {known} to {second}, and {he} {rng.choice(DOINGS)}.")
        lines.append(f"That is how {known} came to {second}.")
    else:
        lines.append(f"But {first} kept {known}, and {she} {rng.choice(DOINGS)} at {here}.")
    return " ".join(lines)


def corpus(n_stories: int = 260, seed: int = 0) -> str:
    """All stories, one a paragraph."""
    rng = random.Random(seed)
    return "\n\n".join(story(rng) for _ in range(n_stories)) + "\n"


if __name__ == "__main__":
    sys.stdout.write(corpus())
