"""A table that no recipe knows: letters to a town's offices, put together here from phrases of our own."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

SAID = {
    "roads": "a pothole;the kerb is broken;asphalt sinks;the zebra crossing has worn away;a bent sign;loose gravel",
    "waste": "the bin overflows;nobody emptied the bin;an old mattress;glass bin is full;rubbish bags;compost smells",
    "parks": "the bench is rotten;branches over the path;the swing is torn;long lawn;the pond is green;a tree fell",
    "lighting": "street lamp is dark;the lantern flickers;a light burns all day;a loose cable;no light;lamp glass",
    "noise": "music until three;engines run at night;drilling on Sunday;an alarm howls;shouting at five;a motor hums",
}
WHERE = "at the;near the;behind the;beside the;in front of the;on the way to the"
PLACES = "old mill,library,school,station,market,north bridge,swimming pool,chapel,bakery,ferry,town hall,fire station"
BEGIN = "Since last week: ;Again, ;For a month now ;As I wrote in May, ;My neighbours say: ;I saw today: ;;Every day "
END = ", and nobody came.;. Who looks after it?;, we would like an answer.;.;. A photo is with the porter.;, it is bad."
DISTRICTS = "north,south,harbour,hill,centre"


def write(file, rows=1500, seed=0):
    """Write the table as CSV; its path."""
    draw = np.random.default_rng(seed)

    def pick(many, between=";"):
        return str(draw.choice(many.split(between)))

    with Path(file).open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["id", "received", "letter", "office", "district"])
        for number in range(rows):
            office = str(draw.choice(list(SAID)))
            said = pick(SAID[office] if draw.random() < 0.93 else SAID[str(draw.choice(list(SAID)))])
            place = f"{pick(WHERE)} {pick(PLACES, ',')}"
            letter = f"{pick(BEGIN)}{said} {place}{pick(END)} No. {draw.integers(90) + 10}"
            day = f"2025-{draw.integers(12) + 1:02}-{draw.integers(28) + 1:02}"
            writer.writerow([f"L{number:05}", day, letter, office, pick(DISTRICTS, ",")])
    return Path(file)
