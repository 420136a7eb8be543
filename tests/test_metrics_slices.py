"""Error rates by group: fairlearn's numbers, intervals and reasons, and the whole procedure's false alarms."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest
from fairlearn.metrics import MetricFrame
from sklearn.metrics import zero_one_loss

from workbench.errors import RunError
from workbench.metrics.slice_table import slice_table
from workbench.metrics.slices import score_slices

CLASSES = ("a", "b", "c")
QUICK = {"label": "topic", "resamples": 200, "draws": 499, "searches": 2}


def run(rows=900, *, seed=0, sizes=None, groups=None, seeds=(0,), right=0.7):
    """Predictions of one candidate and the run's rows; `sizes` gives the shares of the sites."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 3, rows)
    site = random.choice(["east", "north", "south", "west"], rows, p=sizes)
    form = random.choice(["paper", "web", None], rows, p=[0.5, 0.4, 0.1]).tolist()
    table = {"row": np.arange(rows), "split": ["test"] * rows, "site": site.tolist(), "form": form}
    if groups:
        table["group"] = [f"g{one}" for one in random.integers(0, groups, rows)]
    pieces = []
    for one in seeds:
        guess = np.where(random.random(rows) < right, label, (label + 1) % 3)
        sure = random.uniform(0.4, 1, rows)
        probabilities = np.where(np.arange(3) == guess[:, None], sure[:, None], (1 - sure[:, None]) / 2)
        columns = {"seed": np.full(rows, one), "row": np.arange(rows), "split": ["test"] * rows}
        columns |= {"label": [CLASSES[at] for at in label], "prediction": [CLASSES[at] for at in guess]}
        pieces.append(pa.table(columns | {f"p_{name}": probabilities[:, at] for at, name in enumerate(CLASSES)}))
    return {"student-linear": pa.concat_tables(pieces)}, pa.table(table)


def scored(predictions, rows, slices=("site", "form"), thresholds=None, **settings):
    return score_slices(slice_table(predictions, rows, slices, thresholds=thresholds), QUICK | settings)


def find(rows, metric, slice_="all"):
    (found,) = [row for row in rows if (row["metric"], row["slice"]) == (metric, slice_)]
    return found


def test_overall_groups_gap_and_ratio_are_fairlearns():
    predictions, rows = run()
    found = scored(predictions, rows, ("site",))
    table = predictions["student-linear"]
    frame = MetricFrame(
        metrics=zero_one_loss,
        y_true=table["label"].to_pylist(),
        y_pred=table["prediction"].to_pylist(),
        sensitive_features=rows["site"].to_pylist(),
    )
    assert find(found, "error_rate")["value"] == pytest.approx(frame.overall, abs=1e-6)
    for site, value in frame.by_group.items():
        assert find(found, "error_rate", f"site={site}")["value"] == pytest.approx(value, abs=1e-6)
    assert find(found, "gap:error_rate", "site=*")["value"] == pytest.approx(frame.difference(), abs=1e-6)
    assert find(found, "ratio:error_rate", "site=*")["value"] == pytest.approx(frame.ratio(), abs=1e-6)
    assert find(found, "worst:error_rate", "site=*")["value"] == pytest.approx(frame.group_max(), abs=1e-6)


def test_intersections_are_fairlearns_and_missing_values_are_a_group():
    predictions, rows = run()
    found = scored(predictions, rows)
    table = predictions["student-linear"]
    features = {"site": rows["site"].to_pylist(), "form": [one or "(missing)" for one in rows["form"].to_pylist()]}
    frame = MetricFrame(
        metrics=zero_one_loss,
        y_true=table["label"].to_pylist(),
        y_pred=table["prediction"].to_pylist(),
        sensitive_features=features,
    )
    shown = 0
    for (site, form), value in frame.by_group.items():
        cells = [row for row in found if row["slice"] == f"site={site} & form={form}" and row["metric"] == "error_rate"]
        for cell in cells:
            shown += 1
            assert cell["value"] == pytest.approx(value, abs=1e-6)
    gap = find(found, "gap:error_rate", "site=* & form=*")
    assert shown == gap["groups"]
    assert shown + gap["too_few"] == 12


def test_every_row_has_a_name_of_its_own_numbers_in_order_and_goes_into_json():
    found = scored(*run(), thresholds={"student-linear": 0.6})
    keys = [tuple(row[key] for key in ("candidate", "split", "slice", "metric", "against", "seed")) for row in found]
    assert len(set(keys)) == len(keys)
    json.dumps(found, allow_nan=False)
    for row in found:
        if row["value"] is not None and row["low"] is not None:
            assert row["low"] <= row["value"] <= row["high"]
        assert row["value"] is not None or row["reason"]
        assert row["n"] >= 0


def test_below_30_rows_there_are_bounds_or_a_reason_but_no_figure():
    found = scored(*run(400, sizes=[0.5, 0.44, 0.05, 0.01]), ("site",))
    small = find(found, "error_rate", "site=south")
    assert small["value"] is None
    assert small["low"] < small["high"]
    assert "below 30" in small["reason"]
    clustered = scored(*run(400, sizes=[0.5, 0.44, 0.05, 0.01], groups=60), ("site",))
    assert find(clustered, "error_rate", "site=south")["low"] is None


def test_groups_of_one_row_and_a_slice_with_one_group_are_reasons():
    predictions, rows = run(120)
    rows = rows.append_column("own", pa.array([str(one) for one in range(120)]))
    rows = rows.append_column("same", pa.array(["x"] * 120))
    found = scored(predictions, rows, ("own", "same"))
    gap = find(found, "gap:error_rate", "own=*")
    assert (gap["value"], gap["too_few"]) == (None, 120)
    assert "two are needed" in gap["reason"]
    assert "1 row: below 30" in find(found, "error_rate", "own=0")["reason"]
    assert find(found, "gap:error_rate", "same=*")["value"] is None


def test_evening_out_the_class_mix_takes_away_a_gap_that_only_the_mix_made():
    random = np.random.default_rng(1)
    hard = random.random(4000) < np.repeat([0.8, 0.2], 2000)
    wrong = random.random(4000) < np.where(hard, 0.6, 0.1)
    label = np.where(hard, "hard", "easy")
    other = np.where(hard, "easy", "hard")
    predicted = np.where(wrong, other, label)
    table = pa.table(
        {"seed": np.zeros(4000, int), "row": np.arange(4000), "split": ["test"] * 4000, "label": label.tolist()}
        | {"prediction": predicted.tolist()}
    )
    rows = pa.table({"row": np.arange(4000), "site": ["a"] * 2000 + ["b"] * 2000})
    found = scored({"teacher": table}, rows, ("site",))
    raw, even = (find(found, metric, "site=*") for metric in ("gap:error_rate", "gap:standardised:error_rate"))
    assert raw["low"] > 0.2
    assert even["value"] < 0.05
    by_hand = []
    for site in (slice(0, 2000), slice(2000, 4000)):
        shares = [np.mean(hard), 1 - np.mean(hard)]
        by_hand.append(sum(w * wrong[site][hard[site] == k].mean() for w, k in zip(shares, (True, False), strict=True)))
    assert find(found, "standardised:error_rate", "site=a")["value"] == pytest.approx(by_hand[0], abs=1e-9)
    assert even["value"] == pytest.approx(abs(by_hand[0] - by_hand[1]), abs=1e-9)


def test_the_class_itself_as_a_slice_is_not_standardised():
    predictions, rows = run()
    rows = rows.append_column("topic", predictions["student-linear"]["label"])
    assert (
        "the class itself"
        in find(scored(predictions, rows, ("topic",)), "gap:standardised:error_rate", "topic=*")["reason"]
    )


def test_abstention_is_counted_by_group_where_there_is_a_threshold():
    predictions, rows = run()
    assert "no threshold" in find(scored(predictions, rows), "gap:abstained", "site=*")["reason"]
    found = scored(predictions, rows, thresholds={"student-linear": 0.6})
    sure = predictions["student-linear"].select([f"p_{name}" for name in CLASSES]).to_pandas().max(axis=1).to_numpy()
    east = np.array(rows["site"].to_pylist()) == "east"
    assert find(found, "abstained", "site=east")["value"] == pytest.approx((sure[east] < 0.6).mean())


def test_several_seeds_are_averaged_and_rows_counted_once():
    predictions, rows = run(300, seeds=(0, 1, 2))
    whole = find(scored(predictions, rows), "error_rate")
    table = predictions["student-linear"]
    assert whole["n"] == 300
    assert whole["value"] == pytest.approx(
        np.mean([a != b for a, b in zip(*(table[c].to_pylist() for c in ("label", "prediction")), strict=True)])
    )


def test_slices_may_be_called_like_columns_of_the_predictions():
    predictions, rows = run()
    rows = rows.append_column("label", rows["site"]).append_column("wrong", rows["site"])
    found = scored(predictions, rows, ("label", "wrong", "site"))
    values = {find(found, "error_rate", f"{name}=east")["value"] for name in ("label", "wrong", "site")}
    assert len(values) == 1


def test_a_row_that_the_run_does_not_know_is_refused():
    predictions, rows = run()
    with pytest.raises(RunError, match="does not know"):
        slice_table(predictions, rows.slice(5), ("site",))


def test_the_worst_group_is_named_only_when_the_test_says_so():
    assert "worst" not in find(scored(*run()), "worst:error_rate", "site=*")
    predictions, rows = run(1600)
    table = predictions["student-linear"]
    east = np.array(rows["site"].to_pylist()) == "east"
    bad = np.where(
        east & (np.random.default_rng(5).random(1600) < 0.4), "none of these", table["prediction"].to_pylist()
    )
    table = table.set_column(table.column_names.index("prediction"), "prediction", pa.array(bad.tolist()))
    found = scored({"student-linear": table}, rows)
    assert find(found, "worst:error_rate", "site=*")["worst"] == "site=east"
    assert find(found, "gap:error_rate", "site=*")["p_holm"] < 0.05


def test_same_evidence_same_rows():
    table = slice_table(*run(groups=80), ("site", "form"))
    assert score_slices(table, QUICK) == score_slices(table, QUICK)
    assert all(not math.isnan(row["value"]) for row in score_slices(table, QUICK) if row["value"] is not None)
