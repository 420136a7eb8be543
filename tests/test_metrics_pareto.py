"""The Pareto front with intervals: by hand, and what must hold for any points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from workbench.metrics.pareto import dominance

QUALITY_AND_COST = (True, False)
WHOLE = st.integers(0, 6).map(float)


@st.composite
def clouds(draw):
    """Points with intervals around them, many of them tied, and the direction of each axis."""
    shape = draw(st.tuples(st.integers(1, 8), st.integers(1, 4)))
    values = draw(arrays(np.float64, shape, elements=WHOLE))
    below, above = (draw(arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.4, 1.0, 2.5]))) for _ in "ab")
    higher = tuple(draw(st.lists(st.booleans(), min_size=shape[1], max_size=shape[1])))
    return values, values - below, values + above, higher


def test_a_point_ahead_on_both_axes_beyond_the_intervals_dominates():
    found = dominance([[0.9, 1], [0.5, 3]], [[0.8, 0.9], [0.4, 2]], [[1, 1.1], [0.6, 4]], higher=QUALITY_AND_COST)
    assert found.places == ("front", "dominated")
    assert found.ahead[0, 1].all()
    assert not found.ahead[1, 0].any()


def test_overlapping_costs_leave_a_point_possibly_on_the_front():
    found = dominance([[0.9, 1.0], [0.5, 1.1]], [[0.8, 0.9], [0.4, 1]], [[1, 1.2], [0.6, 1.3]], higher=QUALITY_AND_COST)
    assert found.places == ("front", "possible")
    assert found.ahead[0, 1].tolist() == [True, False]


def test_one_measurement_that_stands_for_two_points_is_a_tie_and_not_a_doubt():
    found = dominance([[0.9, 1.0], [0.5, 1.0]], [[0.8, 0.9], [0.4, 0.9]], [[1, 1.2], [0.6, 1.2]], higher=(True, False))
    assert found.places == ("front", "dominated")


def test_points_that_trade_one_thing_for_another_are_all_on_the_front():
    exact = [[0.9, 3.0], [0.8, 2.0], [0.7, 1.0]]
    assert dominance(exact, exact, exact, higher=QUALITY_AND_COST).places == ("front",) * 3


def test_equal_points_do_not_dominate_each_other():
    exact = [[0.9, 3.0], [0.9, 3.0]]
    assert dominance(exact, exact, exact, higher=QUALITY_AND_COST).places == ("front", "front")


def test_without_an_interval_nothing_is_certain():
    none = [[np.nan, np.nan], [np.nan, np.nan]]
    assert dominance([[0.9, 1], [0.5, 3]], none, none, higher=QUALITY_AND_COST).places == ("front", "possible")


def test_a_paired_comparison_counts_where_the_intervals_overlap():
    values, low, high = [[0.6, 1.0], [0.5, 1.0]], [[0.5, 1.0], [0.4, 1.0]], [[0.7, 1.0], [0.6, 1.0]]
    known = np.zeros((2, 2, 2), dtype=bool)
    known[0, 1, 0] = True
    assert dominance(values, low, high, higher=QUALITY_AND_COST).places == ("front", "possible")
    assert dominance(values, low, high, higher=QUALITY_AND_COST, known=known).places == ("front", "dominated")


def test_a_paired_comparison_against_the_sign_of_the_values_is_not_believed():
    values = [[0.6, 1.0], [0.5, 1.0]]
    known = np.zeros((2, 2, 2), dtype=bool)
    known[1, 0, 0] = True
    found = dominance(values, values, values, higher=QUALITY_AND_COST, known=known)
    assert not found.ahead[1, 0].any()
    assert found.places == ("front", "dominated")


@pytest.mark.parametrize(
    ("values", "low", "high", "said"),
    [
        ([[1.0, 2.0]], [[1.0]], [[1.0, 2.0]], "one shape"),
        ([[np.nan, 2.0]], [[1.0, 2.0]], [[1.0, 2.0]], "not finite"),
        ([[1.0, 2.0]], [[3.0, 2.0]], [[1.0, 2.0]], "above its upper"),
    ],
)
def test_what_cannot_be_compared_is_refused(values, low, high, said):
    with pytest.raises(ValueError, match=said):
        dominance(values, low, high, higher=QUALITY_AND_COST)


@settings(max_examples=40, deadline=None)
@given(clouds())
def test_the_front_is_never_empty_and_nobody_on_it_is_certainly_dominated(cloud):
    values, low, high, higher = cloud
    found = dominance(values, low, high, higher=higher)
    assert "front" in found.places
    assert not (found.certain & ~found.by_value).any()
    assert not found.certain[:, [place == "front" for place in found.places]].any()
    assert not (found.by_value & found.by_value.T).any()


@settings(max_examples=40, deadline=None)
@given(clouds(), st.randoms(use_true_random=False))
def test_the_order_of_the_points_changes_nothing(cloud, random):
    values, low, high, higher = cloud
    order = list(range(len(values)))
    random.shuffle(order)
    places = dominance(values, low, high, higher=higher).places
    assert dominance(values[order], low[order], high[order], higher=higher).places == tuple(places[at] for at in order)


@settings(max_examples=40, deadline=None)
@given(clouds(), st.sampled_from([lambda x: 3 * x - 5, lambda x: x**3, np.exp, lambda x: -1 / (x + 9)]))
def test_a_strictly_increasing_change_of_scale_changes_nothing(cloud, scale):
    values, low, high, higher = cloud
    before = dominance(values, low, high, higher=higher)
    after = dominance(scale(values), scale(low), scale(high), higher=higher)
    assert before.places == after.places
    assert (before.certain == after.certain).all()


@settings(max_examples=40, deadline=None)
@given(clouds())
def test_wider_intervals_make_nobody_dominated_who_was_not(cloud):
    values, _, _, higher = cloud
    narrow = dominance(values, values, values, higher=higher)
    wide = dominance(values, values - 1.0, values + 1.0, higher=higher)
    assert not (wide.ahead & ~narrow.ahead).any()
    assert narrow.by_value.tolist() == wide.by_value.tolist()


@settings(max_examples=40, deadline=None)
@given(clouds())
def test_turning_an_axis_round_is_the_same_as_changing_its_sign(cloud):
    values, low, high, higher = cloud
    turned = dominance(-values, -high, -low, higher=tuple(not one for one in higher))
    assert turned.places == dominance(values, low, high, higher=higher).places
