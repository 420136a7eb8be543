"""Measures the figures that README.md states, as ratios within one run wherever there is a peer.

``python -m benchmarks`` does all of it; each module also runs alone, for example ``python -m benchmarks.bootstrap``.
Results go to ``benchmarks/results/latest.jsonl``, one JSON object a line. Figures of two machines, or of a busy one,
are not comparable; ratios of one run mostly are.
"""
