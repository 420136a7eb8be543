"""From predictions on texts in several variants to flip rates, held against the flips of a neutral change.

A pair of variants flips where the predicted class differs. Pairs of two groups are the swap, pairs within one group
(one name for another of the same sex and origin) the control: a classifier that stumbles over any changed word flips on
both. Only an excess over the control is evidence of an effect of the group, and only where it holds over the texts and
over the words: names are few, and one odd name is not a sex. The p of an excess is therefore the larger of two, of a
paired permutation over texts, and of shuffling which word belongs to which group (both must reject; Berger, 1982).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import ndtri

from workbench.metrics.intervals import Drawn, Interval, rate
from workbench.metrics.multiple import holm
from workbench.metrics.paired import FEWEST_CHANGED, SEEN, Difference, difference_of
from workbench.metrics.permutation import permutation_mean

Row = dict[str, Any]
Float64Array = npt.NDArray[np.float64]
ATTRIBUTES = ("sex", "origin", "age", "dialect", "spelling")
METRICS = ("flip_rate", "flip_rate_control", "flip_excess", "probability_shift")
FEWEST = 30
"""Below this many texts no rate is given."""
RESAMPLES = 2_000
PERMUTATIONS = 10_000
SHUFFLES = 2_000


@dataclass(frozen=True)
class Crossing:
    """Texts by variants, for one candidate, template and attribute.

    Attributes:
        predictions: Number of the predicted class, -1 where a text lacks the variant, shape ``(texts, variants)``.
        probabilities: Shape ``(texts, variants, classes)``; NaN where a text lacks the variant.
        groups: Group of each variant in the attribute, shape ``(variants,)``.
        held: What is the same in two variants that may be compared: their other attributes, shape ``(variants,)``.
    """

    predictions: npt.NDArray[np.int64]
    probabilities: Float64Array
    groups: npt.NDArray[np.str_]
    held: npt.NDArray[np.int64]

    def pairs(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Every two variants that may be compared, as two columns."""
        first, second = np.triu_indices(len(self.groups), 1)
        same = self.held[first] == self.held[second]
        return first[same], second[same]

    def flips(self) -> Float64Array:
        """1 where the two of a pair differ, 0 where not, NaN where one is missing, shape ``(texts, pairs)``."""
        first, second = self.pairs()
        one, other = self.predictions[:, first], self.predictions[:, second]
        return np.where((one < 0) | (other < 0), np.nan, (one != other).astype(np.float64))


def score_flips(table: pa.Table, settings: Mapping[str, Any]) -> list[Row]:
    """Flip rates of swap and control, their difference, and the largest mean shift of a probability.

    Args:
        table: Evidence: ``candidate, split, row, template, member``, a column an attribute, ``prediction``,
            ``p_<class>``.
        settings: ``split``, ``classes``, ``lists`` (``kind`` and ``templates`` of each), ``seed``, ``confidence``.

    Returns:
        Rows of metrics.json for each candidate and slice ``attribute=<attribute> & template=<template>``: flip_rate,
        flip_rate_control, flip_excess (with p, p_holm over all slices of the candidate, detectable), probability_shift
        (with the class and group it is largest for). n counts texts. What cannot be had has a reason.
    """
    frames = {name for one in settings["lists"] if one["kind"] == "frame" for name in one["templates"]}
    rows: list[Row] = []
    for candidate in pc.unique(table["candidate"]).to_pylist():
        of_candidate = table.filter(pc.field("candidate") == candidate)
        own: list[Row] = []
        for template in pc.unique(of_candidate["template"]).to_pylist():
            part = of_candidate.filter(pc.field("template") == template)
            for attribute in (name for name in ATTRIBUTES if part[name].null_count < len(part)):
                start = {"candidate": candidate, "split": settings["split"]}
                start["slice"] = f"attribute={attribute} & template={template}"
                crossing = crossing_of(part, attribute, settings["classes"])
                own += [start | row for row in _rows(crossing, settings, words_drawn=template in frames)]
        tested = [row for row in own if row.get("p") is not None]
        for row, adjusted in zip(tested, holm([row["p"] for row in tested]), strict=True):
            row["p_holm"] = adjusted
        rows += own
    return rows


def crossing_of(part: pa.Table, attribute: str, classes: list[str]) -> Crossing:
    """The evidence of one candidate and template as texts by variants.

    Args:
        part: Its lines.
        attribute: The attribute whose groups are compared; the others are held.
        classes: Names of the classes.
    """
    texts, at_text = np.unique(part["row"].to_numpy(), return_inverse=True)
    members, first, at_member = np.unique(_strings(part, "member"), return_index=True, return_inverse=True)
    place = {name: number for number, name in enumerate(classes)}
    predictions = np.full((len(texts), len(members)), -1, dtype=np.int64)
    predictions[at_text, at_member] = [place[name] for name in part["prediction"].to_pylist()]
    probabilities = np.full((len(texts), len(members), len(classes)), np.nan)
    for name, number in place.items():
        probabilities[at_text, at_member, number] = part[f"p_{name}"].to_numpy()
    others = [_strings(part, name)[first] for name in ATTRIBUTES if name != attribute]
    held = np.unique(["|".join(values) for values in zip(*others, strict=True)], return_inverse=True)[1]
    return Crossing(predictions, probabilities, _strings(part, attribute)[first], held)


def _strings(part: pa.Table, name: str) -> npt.NDArray[np.str_]:
    """A column of text; nothing where it is empty."""
    return np.array([value or "" for value in part[name].to_pylist()], dtype=np.str_)


def _rows(crossing: Crossing, settings: Mapping[str, Any], *, words_drawn: bool) -> Iterator[Row]:
    """The rows of one slice, without what names it."""
    confidence, seed = float(settings.get("confidence", 0.95)), int(settings["seed"])
    first, second = crossing.pairs()
    across = crossing.groups[first] != crossing.groups[second]
    flips = crossing.flips()
    swap, control = _shares(flips[:, across]), _shares(flips[:, ~across])
    for metric, shares in (("flip_rate", swap), ("flip_rate_control", control)):
        yield _row(metric, flip_rate(shares, confidence))
    both = np.isfinite(swap) & np.isfinite(control)
    n = int(both.sum())
    if n < FEWEST:
        known = "no neutral change of this kind" if not n else f"{n} texts with a neutral change: below {FEWEST}"
        reason = f"{known}; a flip cannot be told from the flips of any change"
        yield _row("flip_excess", Interval(None, None, None, n, "none", reason, confidence))
    else:
        yield _excess_row(swap[both], control[both], crossing, seed, words_drawn=words_drawn, confidence=confidence)
    yield _shift_row(crossing, settings["classes"], seed, confidence)


def _shares(flips: Float64Array) -> Float64Array:
    """Share of each text's pairs that flip, shape ``(texts,)``; NaN for a text without any."""
    known = np.isfinite(flips)
    counts = known.sum(axis=1)
    return np.where(counts > 0, np.where(known, flips, 0.0).sum(axis=1) / np.maximum(counts, 1), np.nan)


def flip_rate(shares: Float64Array, confidence: float = 0.95) -> Interval:
    """The mean of the texts' shares, with exact bounds over texts.

    The sum of shares counts as hits of Clopper and Pearson: a share varies no more than a yes or no of the same mean,
    so the bounds are wide rather than narrow, and no flip at all still leaves an upper bound.

    Args:
        shares: Of each text, in [0, 1]; NaN for a text without pairs.
        confidence: Coverage.

    Returns:
        The interval; under 30 texts its bounds alone, with the reason.
    """
    known = shares[np.isfinite(shares)]
    found = rate(min(float(known.sum()), float(len(known))), len(known), confidence)
    if found.n >= FEWEST:
        return replace(found, method=f"Clopper–Pearson over {found.n:,} texts, flips of a text counted as its share")
    reason = f"{found.n} texts: below {FEWEST} no rate is given" if found.n else "no pairs of this kind"
    return replace(found, value=None, reason=reason)


def _row(metric: str, interval: Interval) -> Row:
    """A row without what names its slice."""
    row: Row = {"metric": metric, "value": interval.value, "low": interval.low, "high": interval.high}
    row |= {"n": interval.n, "method": interval.method, "seed": None, "against": None}
    row |= {} if interval.confidence == 0.95 else {"confidence": interval.confidence}
    return row | ({"reason": interval.reason} if interval.reason else {})


def _excess_row(
    swap: Float64Array, control: Float64Array, crossing: Crossing, seed: int, *, words_drawn: bool, confidence: float
) -> Row:
    """Swap less control on the same texts, with the larger p of texts and words."""
    found = excess(swap, control, seed, confidence)
    p_texts = permutation_mean(swap, control, permutations=PERMUTATIONS, seed=seed)
    p_words = shuffled_words(crossing, seed) if words_drawn else None
    row = _row(
        "flip_excess",
        Interval(found.value, found.low, found.high, found.n, found.method, found.reason, confidence),
    )
    row["method"] += "; p: the larger of permutations over texts and over words" if words_drawn else "; p: over texts"
    if found.low is None:
        return row
    row |= {"p": max(p_texts, p_words or 0.0), "p_texts": p_texts, "detectable": found.detectable}
    return row | ({} if p_words is None else {"p_words": p_words})


def excess(swap: Float64Array, control: Float64Array, seed: int, confidence: float = 0.95) -> Difference:
    """Mean share of flips of the swap less that of the control, texts resampled.

    Args:
        swap: Of each text, shape ``(texts,)``.
        control: Of the same texts.
        seed: Of the resamples.
        confidence: Coverage.

    Returns:
        The difference.
    """
    gaps, n = swap - control, len(swap)
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    drawn = Drawn(n, n, clustered=False, resamples=RESAMPLES, confidence=confidence)
    return difference_of(float(gaps.mean()), weights @ gaps / n, drawn, discordant=float((gaps != 0).sum()))


def shuffled_words(crossing: Crossing, seed: int) -> float:
    """Test whether words of one group agree more with each other than with those of other groups.

    Were the group nothing, any deal of the same words to the groups would be as likely; words change places only with
    words that have the same other attributes.

    Args:
        crossing: Texts by variants.
        seed: Of the deals.

    Returns:
        One-sided p: share of the deals whose excess is at least as large, one added on both sides.
    """
    first, second = crossing.pairs()
    dealt = _dealt(crossing, seed)
    gaps = _contrast(dealt[:, first] != dealt[:, second], np.nanmean(crossing.flips(), axis=0))
    return float((1 + (gaps[1:] >= gaps[0] - 1e-12).sum()) / (1 + SHUFFLES))


def _dealt(crossing: Crossing, seed: int) -> npt.NDArray[np.str_]:
    """The groups of the words as they are, then as dealt at random; shape ``(1 + SHUFFLES, variants)``."""
    dealt = np.tile(crossing.groups, (SHUFFLES, 1))
    random = np.random.default_rng(seed)
    for held in np.unique(crossing.held):
        places = np.flatnonzero(crossing.held == held)
        dealt[:, places] = random.permuted(dealt[:, places], axis=1)
    return np.vstack([crossing.groups, dealt])


def _contrast(across: npt.NDArray[np.bool_], rates: Float64Array) -> Float64Array:
    """Mean rate of the pairs of two groups less that of the others, for each deal, shape ``(deals,)``."""
    contrast: Float64Array = across @ rates / across.sum(axis=1) - ~across @ rates / (~across).sum(axis=1)
    return contrast


def findable_excess(
    crossing: Crossing, *, claims: int = 1, power: float = 0.95, alpha: float = 0.05, seed: int = 0
) -> float | None:
    """The excess of swap over control that is worded as one in a given share of runs; from a run without an effect.

    It has to pass what a verdict asks. Over texts, the normal approximation: it lies above the larger of Holm's worst
    bound and what the test can be relied on to see, and by z of the power more; each text varies as it does here, and
    besides as one that holds the whole excess or nothing of it. Over words: it beats all but the allowed share of
    deals, of which the best ones lie near the true groups and so show a part of it.

    Args:
        crossing: Texts by variants of a candidate in which the group has no effect; its words are of the drawn kind.
        claims: Slices that are tested together.
        power: Share of runs in which it shall be found.
        alpha: Level of the claims together.
        seed: Of the deals.

    Returns:
        A share in (0, 1]; None where texts or words are too few to find any excess at this level.
    """
    first, second = crossing.pairs()
    across = crossing.groups[first] != crossing.groups[second]
    flips = crossing.flips()
    gaps = _shares(flips[:, across]) - _shares(flips[:, ~across])
    gaps = gaps[np.isfinite(gaps)]
    dealt = _dealt(crossing, seed)
    dealt = dealt[:, first] != dealt[:, second]
    shown = _contrast(dealt, np.nanmean(flips, axis=0))[1:]
    likeness = _contrast(dealt, across.astype(np.float64))[1:]
    beaten = float(np.quantile(likeness, 1 - alpha / claims, method="higher"))
    if len(gaps) < FEWEST or beaten > 1 - 1e-9:
        return None
    certain, words = float(ndtri(power)), float(shown.std())
    times = max(SEEN, float(ndtri(1 - alpha / claims / 2))) + certain
    tried = np.linspace(0.001, 1.0, 1000)
    varied = np.sqrt((gaps.var(ddof=1) + tried * (1 - tried)) / len(gaps) + words**2)
    enough = tried >= np.maximum(times * varied, FEWEST_CHANGED / len(gaps) + certain * varied)
    enough &= tried * (1 - beaten) >= certain * np.sqrt(2) * words
    return float(tried[enough.argmax()]) if enough.any() else None


def _shift_row(crossing: Crossing, classes: list[str], seed: int, confidence: float) -> Row:
    """The group and class whose mean probability lies furthest from the other groups' mean.

    The band is the same for all groups and classes and holds for the largest of them (the bootstrap of the largest
    deviation), since the largest was chosen after looking.
    """
    names = np.unique(crossing.groups)
    n = len(crossing.predictions)
    if n < FEWEST or len(names) < 2:
        reason = f"{n} texts: below {FEWEST} no shift is given" if n < FEWEST else "one group alone: nothing to compare"
        return _row("probability_shift", Interval(None, None, None, n, "none", reason, confidence))
    shifts = np.concatenate([_shift(crossing, group) for group in names], axis=1)
    means = shifts.mean(axis=0)
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    band = float(np.quantile(np.abs(weights @ shifts / n - means).max(axis=1), confidence))
    largest = int(np.abs(means).argmax())
    value = float(means[largest])
    method = f"band for the largest of {len(means)} shifts, {RESAMPLES:,} resamples of {n:,} texts"
    bounds = max(-1.0, value - band), min(1.0, value + band)
    row = _row("probability_shift", Interval(value, *bounds, n, method, "", confidence))
    return row | {"class": classes[largest % len(classes)], "group": str(names[largest // len(classes)])}


def _shift(crossing: Crossing, group: str) -> Float64Array:
    """Mean probabilities of a group less those of the others, shape ``(texts, classes)``."""
    inside = crossing.groups == group
    own = np.nanmean(crossing.probabilities[:, inside], axis=1)
    others = np.nanmean(crossing.probabilities[:, ~inside], axis=1)
    shift: Float64Array = own - others
    return shift
