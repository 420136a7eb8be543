"""Sentences in four locales in which it is known where personal data stand: what recall is measured on.

Everything is drawn from a seed; nothing is real. ``values`` says how values are made, ``templates`` holds the
sentences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.data.personal import templates, values

SHARE_WITHOUT = 0.2
"""Share of sentences without personal data."""


@dataclass(frozen=True)
class Sentence:
    """A sentence and what was put into it.

    Attributes:
        text: The sentence.
        locale: ``en``, ``de``, ``fr``, ``es`` (``it`` and ``nl`` for one identifier each).
        type: Type of the value; ``None`` where there is none.
        start: Where the value begins, in characters.
        length: Its length.
    """

    text: str
    locale: str
    type: str | None = None
    start: int = 0
    length: int = 0


def generate(count: int = 5_000, seed: int = 0) -> list[Sentence]:
    """Draw sentences: one in five without personal data, the others evenly over locales and types.

    Args:
        count: How many.
        seed: Of the draw; equal seeds give equal sentences.
    """
    rng = np.random.default_rng(seed)
    pairs = [(locale, kind) for locale, kinds in templates.POSITIVE.items() for kind in kinds]
    without = rng.random(count) < SHARE_WITHOUT
    chosen = rng.integers(len(pairs), size=count)
    return [negative(rng) if none else positive(rng, *pairs[at]) for none, at in zip(without, chosen, strict=True)]


def positive(rng: np.random.Generator, locale: str, kind: str) -> Sentence:
    """A sentence with one value of a type."""
    title = f"{values.one_of(rng, values.TITLES[locale])} " if kind == "titled" else ""
    value = values.first_last(rng, locale)[1] if kind == "titled" else values.DRAWN[kind](rng, locale)
    front, back = values.one_of(rng, templates.POSITIVE[locale][kind]).split("{}")
    side = int(rng.integers(len(templates.BEFORE)))
    front = templates.BEFORE[side] + front + title
    text = front + value + back + templates.AFTER[side]
    return Sentence(text, locale, "name" if kind == "titled" else kind, len(front), len(value))


def negative(rng: np.random.Generator) -> Sentence:
    """A sentence without personal data that resembles one with."""
    locale = values.one_of(rng, list(templates.NEGATIVE))
    return Sentence(values.digits(rng, values.one_of(rng, templates.NEGATIVE[locale])), locale)
