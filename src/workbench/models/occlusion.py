"""The words behind a decision, for any candidate: leave each word out and see how far the decision falls.

Occlusion (Zeiler & Fergus 2014, for words Li, Monroe & Jurafsky 2016). It shows what this model's answer hangs on,
not why the answer would be right; two words that say the same hide each other.
"""

from __future__ import annotations

from workbench.models.candidate import Candidate

MAX_WORDS = 400


def occlude(candidate: Candidate, text: str) -> list[tuple[str, float]]:
    """How much each word of a text holds up the candidate's answer.

    Args:
        candidate: Any candidate.
        text: The text; words are what stands between white space, the first 400 are looked at.

    Returns:
        Each word with the fall of the likeliest class's probability when it is left out, -1 to 1: above 0 where
        the word speaks for the answer. Empty for a text without words.
    """
    words = text.split()
    if not words:
        return []
    looked_at = words[:MAX_WORDS]
    without = [" ".join(words[:place] + words[place + 1 :]) for place in range(len(looked_at))]
    probabilities = candidate.predict_proba([text, *without])
    best = int(probabilities[0].argmax())
    falls = probabilities[0, best] - probabilities[1:, best]
    return [(word, float(fall)) for word, fall in zip(looked_at, falls, strict=True)]
