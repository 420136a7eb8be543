"""What the Comparison panel shows, as HTML made from the files of runs; no widget here.

Every figure has its interval where there is one; every judgement is the run's own, or its paired comparisons'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.widgets import figures, markup
from workbench.widgets.words import Words

if TYPE_CHECKING:
    from workbench.reporting.choices import Choice
    from workbench.reporting.comparable import Group, Point
    from workbench.reporting.evidence import Evidence


class Page:
    """The parts of the panel for one choice."""

    def __init__(self, runs: Sequence[Evidence], choice: Choice, words: Words) -> None:
        """Look at runs.

        Args:
            runs: Their files.
            choice: What one wants to see.
            words: The reader's language.
        """
        from workbench.reporting.choices import look

        self.choice, self.words = choice, words
        self.look = look(runs, choice)
        self.named = self.look.named

    def verdict(self) -> str:
        """What each run recommends, why, and why not each other candidate."""
        return self._heading("recommendation") + "".join(map(self._verdict, range(len(self.look.runs))))

    def _verdict(self, at: int) -> str:
        from workbench.reporting.findings import distillation_sentences, reasons, recommendation_sentences

        run, say = self.look.runs[at], self.words.sentence
        own = run.recommendation
        wins = own.get("candidate") == "baseline" and own.get("chosen_among", 0) > 1
        told = [self.words("compare.baseline_wins")] if wins else []
        told += [say(one) for one in recommendation_sentences(run)]
        more = [one for one in map(say, distillation_sentences(run)) if one not in " ".join(told)]
        more += [self.words("compare.rule", rule=say(str(own["rule"])))] if own.get("rule") else []
        why = [self._of(names.replace(" and ", ", "), say(reason)) for names, reason in reasons(run)]
        others = f"<h4>{markup.text(self.words('compare.why_not'))}</h4>{markup.listed(why)}" if why else ""
        lead = f"<p><strong>{markup.text(told[0])}</strong></p>{markup.paragraphs(told[1:])}"
        return self._of_run(at) + lead + markup.paragraphs(more) + others

    def table(self) -> str:
        """All candidates with their figures, sorted; a table for each group that can be compared."""
        said, choice = [self.words.sentence(one) for one in self.look.apart], self.choice
        for run in self.look.runs:
            if run.recommendation and (choice.split, choice.metric) != (run.headline, run.primary):
                said.append(self.words("compare.not_headline", metric=self._metric(run.primary), split=run.headline))
            further = run.recipe.data.splits.further_tests.get(choice.split.removeprefix("test_"))
            if further is not None and further.groups == "seen":
                said.append(self.words("compare.transductive", split=choice.split))
        tables = (self._table(number) for number in range(1, len(self.look.groups) + 1))
        export = self.words("compare.export", show_code=self.words("panel.show_code"))
        return markup.paragraphs(dict.fromkeys(said)) + "".join(tables) + markup.paragraphs([export])

    def _table(self, number: int) -> str:
        from workbench.reporting import choices

        seen, words = self.look.groups[number - 1], self.words
        whole = choices.group_on(seen, choices.ALL)
        rows = choices.table(seen, self.choice)
        values = {"metric": self._metric(self.choice.metric), "split": self.choice.split, "number": number}
        cells = []
        for point, figures_of in rows:
            places = [self._place(whole, at) for at, one in enumerate(whole.points) if one is point]
            shown = [choices.figure_text(*one) for one in figures_of.items()]
            cells.append((self.named(point), self._role(point), *shown, *(places or [choices.MISSING])))
        lacking = {(key, one.reason) for _, row in rows for key, one in row.items() if one.value is None and one.reason}
        why = [self._absent(*one) for one in sorted(lacking)]
        caption = words("compare.caption" if len(self.look.groups) == 1 else "compare.group", **values)
        heads = [words(f"compare.col.{key}", **values) for key in ("candidate", "role", *choices.COLUMNS, "place")]
        return markup.table(heads, cells, caption) + markup.paragraphs(why)

    def _absent(self, key: str, reason: str) -> str:
        return self.words("compare.absent", what=self.words(f"compare.sort.{key}"), reason=self.words.sentence(reason))

    def figure(self) -> str:
        """Quality against a cost, and in words who is on the front."""
        from workbench.reporting.choices import group_on
        from workbench.reporting.tradeoffs import name_of

        said = [self._heading("tradeoffs")]
        for seen in self.look.groups:
            group = group_on(seen, self.choice.cost)
            told = self._front(group) if group.points else [self.words("compare.no_scores")]
            names = {name_of(group, at): self.named(point) for at, point in enumerate(group.points)}
            said.append(figures.tradeoff(group, told[0], self.words, names) if names else "")
            said.append(markup.paragraphs(told + [self.words.sentence(one) for one in group.left_out]))
        return "".join(said) + markup.paragraphs([self.words("compare.how_front")])

    def _front(self, group: Group) -> list[str]:
        """Who is on the front of the figure; who is behind whom."""
        names = [self.named(point) for point in group.points]
        on = [name for name, place in zip(names, group.places, strict=True) if place == "front"]
        axes = [self.words.sentence(group.called(axis)) for axis in group.axes]
        values = {"names": ", ".join(on), "axes": ", ".join(axes), "split": self.choice.split}
        behind: dict[str, list[str]] = {}
        for at, name in enumerate(names):
            if name not in on:
                behind.setdefault(self._place(group, at), []).append(name)
        rest = [f"{self._of(', '.join(those), told)}." for told, those in behind.items()]
        return [self.words("compare.front", n=len(on), all=len(names), **values), *rest]

    def differences(self) -> str:
        """Each candidate against baseline and controls, and how far the seeds lie apart."""
        from workbench.reporting.choices import differences
        from workbench.reporting.sections import seeds

        said = [self._heading("difference")]
        for at, one in enumerate(self.look.views):
            rows = [(*row, self.words.sentence(verdict)) for *row, verdict in differences(one)]
            none = markup.paragraphs([self.words("compare.difference.none", split=self.choice.split)])
            spread = [(row["candidate"], ", ".join(row["texts"]), row["mean"], row["sd"]) for row in seeds(one)]
            alone = markup.paragraphs([self.words("compare.seeds.one")]) if len(one.seeds) == 1 else ""
            said += [self._of_run(at), self._listing("difference", rows, none), self._listing("seeds", spread, alone)]
        return "".join(said)

    def _listing(self, name: str, rows: Sequence[Sequence[object]], none: str) -> str:
        heads, caption = [self.words(f"compare.{name}.{at}") for at in range(1, 5)], f"compare.{name}.caption"
        return markup.table(heads, rows, self.words(caption, split=self.choice.split)) if rows else none

    def _of(self, name: str, told: str) -> str:
        return self.words("compare.of", name=name, told=told)

    def _heading(self, key: str) -> str:
        return f"<h3>{markup.text(self.words(f'compare.{key}'))}</h3>"

    def _of_run(self, at: int) -> str:
        """Number and name of a run, where there are several."""
        names = self.look.headings
        return f"<h4>({at + 1}) {markup.original(names[at])}</h4>" if names else ""

    def _metric(self, metric: str) -> str:
        from workbench.metrics.wording import metric_name

        return self.words.sentence(metric_name(metric))

    def _role(self, point: Point) -> str:
        role = point.candidate if point.candidate == "teacher-head" else point.role
        told = self.words.texts.get(f"compare.role.{role}", "")
        return f"→ {self._of(self.words('compare.recommended'), told)}" if point.recommended else told

    def _place(self, group: Group, at: int) -> str:
        """Where a point stands, and behind whom."""
        place, first = group.places[at], group.ahead_of(at)
        named = "" if first is None else self.named(group.points[first])
        return self.words(f"compare.{'behind' if named else 'place'}.{place}", name=named)
