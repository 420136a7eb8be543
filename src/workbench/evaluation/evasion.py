"""Whether a text that is not of the domain can be dressed up so that its flag does not see it.

Sentences of our own about everyday things, in three languages, and noise; behind them stand words of the domain. Only
texts that are flagged as they are can evade; each is compared with the same text and neutral words of that length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.evaluation.attack_texts import cut
from workbench.evaluation.check import Check, Subject
from workbench.evaluation.perturbations import filler
from workbench.metrics.evasion import SCHEMA

Flagged = Callable[[Sequence[str]], npt.NDArray[np.bool_]]
PARTS = {
    "English": (
        ("my neighbour", "the baker", "a tourist", "our choir", "the postman"),
        ("paints the garden fence", "waits for the ferry", "sings in the village hall", "buys fresh plums"),
        ("every Sunday morning", "before the rain comes", "with great pleasure"),
    ),
    "German": (
        ("mein Nachbar", "die Bäckerin", "ein Tourist", "unser Chor", "der Postbote"),
        ("streicht den Gartenzaun", "wartet auf die Fähre", "singt im Gemeindesaal", "kauft frische Pflaumen"),
        ("jeden Sonntagmorgen", "bevor der Regen kommt", "mit großer Freude"),
    ),
    "French": (
        ("mon voisin", "la boulangère", "un touriste", "notre chorale", "le facteur"),
        ("peint la clôture du jardin", "attend le bateau", "chante dans la salle des fêtes", "achète des prunes"),
        ("chaque dimanche matin", "avant la pluie", "avec grand plaisir"),
    ),
}
EACH = 30
"""Texts of each language, and of noise."""
TRICKS = ("class-name", "domain-text", "domain-text-twice")


def foreign_texts(seed: int = 0) -> list[tuple[str, str]]:
    """Texts of no shipped domain.

    Args:
        seed: Draws which combinations, and the noise.

    Returns:
        Language (or noise) and text, EACH of each.
    """
    random = np.random.default_rng([seed, 9])
    found = []
    for language, (who, does, how) in PARTS.items():
        every = [f"{one} {two} {three}" for one in who for two in does for three in how]
        found += [(language, every[at]) for at in sorted(random.choice(len(every), EACH, replace=False))]
    letters = list("abcdefghijklmnopqrstuvwxyz")
    for _ in range(EACH):
        words = ["".join(random.choice(letters, int(random.integers(3, 10)))) for _ in range(6)]
        found.append(("noise", " ".join(words)))
    return found


def check_evasion(subject: Subject, flagged: Flagged | None) -> Check:
    """Try to get texts of no domain past the off-domain flag.

    Args:
        subject: A finished comparison.
        flagged: Whether each of some texts is flagged as not of the domain; None where no flag was fitted.

    Returns:
        Evidence ``evasion``: a line for each text and trick; or the reason why there is none.
    """
    test = subject.splits.tests["test"]
    if flagged is None or not len(test):
        return Check("evasion", None, {}, ("Evasion was not tried: this run has no off-domain flag.",))
    random = np.random.default_rng([subject.seed, 10])
    foreign = foreign_texts(subject.seed)
    texts = [text for _, text in foreign]
    before = np.asarray(flagged(texts))
    lines: list[dict[str, Any]] = []
    for trick in TRICKS:
        tails = [_tail(trick, subject, test.texts, random) for _ in texts]
        changed = [f"{text} {tail}" for text, tail in zip(texts, tails, strict=True)]
        neutral = [
            f"{text} {cut(filler(len(tail), random), len(tail))}" for text, tail in zip(texts, tails, strict=True)
        ]
        after, control = np.asarray(flagged(changed)), np.asarray(flagged(neutral))
        for place, (language, text) in enumerate(foreign):
            marks = {"before": bool(before[place]), "after": bool(after[place]), "control": bool(control[place])}
            lines.append({"text": place, "language": language, "foreign": text, "trick": trick, **marks})
    settings = {"seed": subject.seed, "confidence": subject.recipe.evaluation.confidence, "texts": len(texts)}
    return Check("evasion", pa.Table.from_pylist(lines, schema=SCHEMA), settings)


def _tail(trick: str, subject: Subject, texts: pa.Array, random: np.random.Generator) -> str:
    """What is put behind a text: a class's name, or a test text, once or twice."""
    if trick == "class-name":
        return str(subject.splits.classes[int(random.integers(len(subject.splits.classes)))])
    text = str(texts[int(random.integers(len(texts)))].as_py())
    return f"{text} {text}" if trick == "domain-text-twice" else text
