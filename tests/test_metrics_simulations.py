"""What intervals and tests promise, held against ten thousand draws of a known truth.

A draw is a count, and the interval of every possible count is computed once, so that ten thousand draws cost little.
Where a promise is exact ("at least 95 %") it is checked by adding up chances, without the noise of drawing.
"""

import numpy as np
import pytest
from scipy.stats import binom

from workbench.metrics import mcnemar, permutation_mean, permutation_metric
from workbench.metrics.intervals import Drawn, interval_of
from workbench.metrics.paired import difference_of
from workbench.metrics.proportions import exact_bounds_of, wilson_bounds_of
from workbench.metrics.scores import Counts, macro_f1_of

DRAWS = 10_000
SIZES = (30, 50, 100, 200, 500, 1_000, 2_000)
RATES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99)


def coverage(low, high, n, p):
    """Chance that the bounds of a drawn count hold p; low and high of every count (n + 1,)."""
    held = (low <= p + 1e-12) & (p <= high + 1e-12)
    return binom.pmf(np.arange(n + 1), n, p)[held].sum()


def simulated(low, high, n, p, seed=0):
    hits = np.random.default_rng(seed).binomial(n, p, DRAWS)
    return float(((low[hits] <= p) & (p <= high[hits])).mean())


@pytest.mark.parametrize("n", SIZES)
def test_clopper_pearson_covers_at_least_95_per_cent_everywhere(n):
    low, high = exact_bounds_of(np.arange(n + 1.0), n)
    for p in RATES:
        exact = coverage(low, high, n, p)
        assert exact >= 0.95
        assert simulated(low, high, n, p) == pytest.approx(exact, abs=4 * (0.05 * 0.95 / DRAWS) ** 0.5)


@pytest.mark.parametrize("n", SIZES)
def test_wilson_covers_94_to_96_per_cent_on_average(n):
    low, high = wilson_bounds_of(np.arange(n + 1.0), n)
    assert 0.94 <= np.mean([simulated(low, high, n, p, seed=at) for at, p in enumerate(RATES)]) <= 0.96
    assert 0.94 <= np.mean([coverage(low, high, n, p) for p in np.linspace(0.5, 0.99, 197)]) <= 0.96


def offered(n, p, seed=0):
    """Coverage of the bootstrap where it is offered, how often it is, and coverage of whatever is offered."""
    generator = np.random.default_rng(seed)
    counts, times = np.unique(generator.binomial(n, p, DRAWS), return_counts=True)
    held, resampled, total = 0, 0, 0
    for hits, many in zip(counts, times, strict=True):
        rows = Counts(np.array([float(hits)]), np.array([float(n)]), np.array([float(n)]))
        scores = generator.binomial(n, hits / n, 2_000) / n
        found = interval_of("accuracy", rows, hits / n, scores, Drawn(n, n, False, 2_000))
        total += many * (found.low <= p <= found.high)
        resampled += many * ("bootstrap" in found.method)
        held += many * (found.low <= p <= found.high) * ("bootstrap" in found.method)
    return held / max(resampled, 1), resampled / DRAWS, total / DRAWS


@pytest.mark.parametrize("n", [500, 1_000, 2_000])
def test_the_bootstrap_of_a_proportion_covers_93_to_97_per_cent_where_it_is_offered(n):
    for p in RATES:
        held, share, whatever = offered(n, p)
        if share > 0.99:
            assert 0.93 <= held <= 0.97
        assert whatever >= 0.93


def test_the_bootstrap_is_not_offered_below_500_rows_or_with_fewer_than_10_rows_wrong():
    for n in (30, 100, 499):
        assert offered(n, 0.8)[1] == 0
    assert offered(500, 0.99)[1] < 0.05
    assert offered(2_000, 0.9999)[1] == 0
    assert offered(2_000, 0.9999)[2] >= 0.95


def pairs(n, ahead, behind, seed=0):
    """Ten thousand draws of (only first right, only second right), each different pair once, with its share."""
    chances = [ahead, behind, 1 - ahead - behind]
    drawn = np.random.default_rng(seed).multinomial(n, chances, DRAWS)[:, :2]
    found, times = np.unique(drawn, axis=0, return_counts=True)
    return found, times / DRAWS


def compared(n, first, second, margin=None, resamples=1_000):
    generator = np.random.default_rng(n + 31 * first + second)
    draws = generator.multinomial(n, [first / n, second / n, 1 - (first + second) / n], resamples)
    gaps = (draws[:, 0] - draws[:, 1]) / n
    apart, drawn = (int(first), int(second)), Drawn(n, n, False, resamples)
    return difference_of((first - second) / n, gaps, drawn, discordant=first + second, apart=apart, margin=margin)


NULLS = [(30, 0.3), (100, 0.06), (100, 0.2), (500, 0.01), (500, 0.04), (500, 0.2), (2_000, 0.005), (2_000, 0.05)]


@pytest.mark.parametrize(("n", "discordant"), NULLS)
def test_mcnemar_and_the_paired_bootstrap_claim_a_difference_that_is_not_there_at_most_55_times_in_1000(n, discordant):
    found, shares = pairs(n, discordant / 2, discordant / 2)
    exact = np.array([mcnemar(int(one), int(two)) < 0.05 for one, two in found])
    bootstrap = [compared(n, one, two) for one, two in found]
    claimed = np.array([one.p < 0.05 for one in bootstrap])
    covered = np.array([one.low <= 0 <= one.high for one in bootstrap])
    assert shares @ exact <= 0.055
    assert shares @ claimed <= 0.055
    assert shares @ covered >= 0.945


MARGINS = [(100, 0.05, 0.0), (500, 0.01, 0.0), (500, 0.02, 0.02), (1_000, 0.01, 0.05), (2_000, 0.01, 0.002)]


@pytest.mark.parametrize(("n", "margin", "further"), MARGINS)
def test_a_loss_of_the_whole_margin_is_called_as_good_at_most_55_times_in_1000(n, margin, further):
    found, shares = pairs(n, further, further + margin)
    bootstrap = [compared(n, one, two, margin) for one, two in found]
    assert shares @ np.array([bool(one.non_inferior(margin)) for one in bootstrap]) <= 0.03
    assert shares @ np.array([one.p_noninferior < 0.05 for one in bootstrap]) <= 0.055


@pytest.mark.slow
def test_the_permutation_test_of_a_mean_claims_a_difference_at_most_55_times_in_1000():
    generator = np.random.default_rng(0)
    first, second = generator.exponential(1, (2, DRAWS, 40))
    p = [permutation_mean(a, b, permutations=199, seed=at) for at, (a, b) in enumerate(zip(first, second, strict=True))]
    assert np.mean(np.array(p) <= 0.05) <= 0.055


def null_rivals(generator, groups):
    """Two classifiers alike in truth; rows of a group are easy or hard together."""
    labels = generator.choice(3, 120, p=[0.6, 0.3, 0.1])
    ease = np.repeat(generator.beta(3, 1.5, groups), 120 // groups)
    both = [np.where(generator.random(120) < ease, labels, (labels + 1) % 3) for _ in range(2)]
    return labels, *both, np.repeat(np.arange(groups), 120 // groups)


@pytest.mark.parametrize("groups", [120, 30])
@pytest.mark.parametrize("draws", [800, pytest.param(DRAWS, marks=pytest.mark.slow)])
def test_the_permutation_test_of_macro_f1_claims_a_difference_at_most_55_times_in_1000(groups, draws):
    generator, claimed = np.random.default_rng(groups), 0
    for at in range(draws):
        labels, first, second, of = null_rivals(generator, groups)
        p = permutation_metric("macro_f1", labels, first, second, 3, groups=of, permutations=99, seed=at)
        claimed += p <= 0.05
    noise = 2 * (0.05 * 0.95 / draws) ** 0.5 if draws < DRAWS else 0.0
    assert claimed / draws <= 0.055 + noise


def clustered(groups, accuracy, alike, draws, resamples=600):
    """Share of draws whose clustered interval of accuracy holds the truth."""
    generator = np.random.default_rng(groups)
    weights = generator.multinomial(groups, np.full(groups, 1 / groups), resamples).astype(float)
    held = given = 0
    for _ in range(draws):
        rows = generator.geometric(0.2, groups)
        hits = generator.binomial(rows, generator.beta(alike * accuracy, alike * (1 - accuracy), groups))
        counts = Counts(*(np.array([float(one)]) for one in (hits.sum(), rows.sum(), rows.sum())))
        scores = (weights @ hits) / (weights @ rows)
        drawn = Drawn(int(rows.sum()), groups, True, resamples)
        found = interval_of("accuracy", counts, float(hits.sum() / rows.sum()), scores, drawn)
        if found.low is not None:
            given += 1
            held += found.low <= accuracy <= found.high
    return held / given if given else None


@pytest.mark.parametrize(("groups", "accuracy"), [(10, 0.8), (30, 0.7), (30, 0.95), (60, 0.9), (100, 0.9)])
def test_the_clustered_interval_of_a_proportion_covers_93_per_cent_where_it_is_offered(groups, accuracy):
    assert clustered(groups, accuracy, 3.0, 1_000) >= 0.93 - 2 * (0.05 * 0.95 / 1_000) ** 0.5


def macro_cover(classes, rows, draws, resamples=400):
    """Share of draws in which the percentiles of macro-F1 hold its value in the population."""
    from workbench.metrics.intervals import percentile_bounds

    generator = np.random.default_rng(classes)
    sizes = 1 / np.arange(1.0, classes + 1)
    sizes /= sizes.sum()
    table = np.diag(0.7 * sizes)
    for own in range(classes):
        table[own, (own + np.array([1, 2])) % classes] += 0.15 * sizes[own]
    labels, predictions = np.nonzero(table)
    chances, right = table[labels, predictions], labels == predictions

    def score(cells):
        of = [cells[..., labels == one].sum(-1) for one in range(classes)]
        as_ = [cells[..., predictions == one].sum(-1) for one in range(classes)]
        return macro_f1_of(Counts(cells[..., right].astype(float), np.stack(of, -1), np.stack(as_, -1)))

    truth, held = float(score(chances * 1e6)), 0
    for drawn in generator.multinomial(rows, chances / chances.sum(), draws):
        scores = score(generator.multinomial(rows, drawn / rows, resamples))
        low, high = percentile_bounds(scores, float(score(drawn)), 0.95, rows, corrected=True)
        held += low <= truth <= high
    return held / draws


@pytest.mark.parametrize(("classes", "rows"), [(3, 500), (21, 500)])
@pytest.mark.parametrize("draws", [250, pytest.param(2_000, marks=pytest.mark.slow)])
def test_the_bootstrap_of_macro_f1_covers_93_to_97_per_cent_from_500_rows(classes, rows, draws):
    noise = 2 * (0.05 * 0.95 / draws) ** 0.5
    assert 0.93 - noise <= macro_cover(classes, rows, draws) <= 0.97 + noise
