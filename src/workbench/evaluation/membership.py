"""Membership inference: can somebody who asks the models tell which labelled rows they learned from?

Members are rows of ``train``, the others rows of ``reserve``; in each class the same share of both is taken, so that
which row is a member was decided by the draw of the labels alone. Every candidate is attacked by its loss, and by RMIA
and LiRA with shadow models; blind baseline, over-fitted head and shuffled membership are looked at each time. An audit
is a lower bound: it finds leaks, it cannot show that there are none.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.errors import Stopped, WorkbenchError
from workbench.evaluation.check import Check, Subject
from workbench.evaluation.membership_attacks import lira_score, loss_score, rmia_score
from workbench.evaluation.membership_controls import blind_score, memorised
from workbench.evaluation.membership_rows import Audit, audited_rows, base_encoder, plain
from workbench.evaluation.references import (
    TEXT_STRENGTHS,
    Audited,
    Pool,
    Shadows,
    label_shadows,
    student_shadows,
    text_kernel,
)
from workbench.evaluation.shadows import principal, principal_of_kernel, random_halves
from workbench.metrics.roc import rows_to_detect
from workbench.runs.events import Listener, Progress, Stop, ignore, never

if TYPE_CHECKING:
    from workbench.models.encoder import Encoder

Array = npt.NDArray[Any]

NAME = "membership"
FEWEST = 30
TEXT_RUNS, TEXT_BUCKETS = (2, 5), 131_072


def check_membership(
    subject: Subject, audit: Audit | None = None, *, listener: Listener = ignore, stop: Stop = never
) -> Check:
    """Attack every candidate that somebody might use.

    Args:
        subject: The finished comparison.
        audit: How much is done; the defaults when ``None``.
        listener: Gets ``Progress("membership", done, total)`` in candidates.
        stop: Asked between steps.

    Returns:
        Evidence ``subject, attack, row, label, member, score``, a line a row, attack and candidate; subjects ``blind``
        and ``memorised`` are the controls. Without enough rows no table, and the number that is needed.

    Raises:
        Stopped: ``stop`` said yes.
    """
    audit = audit or Audit()
    audited, left_out = audited_rows(subject.splits, audit)
    fewest = min(int(audited.inside.sum()), int((~audited.inside).sum()))
    if fewest < FEWEST:
        return Check(NAME, None, {"audit": asdict(audit)}, (_too_few(fewest, len(subject.splits.reserve)),))
    work = _Work(subject, audit, audited, stop)
    names = subject.asked()
    for done, name in enumerate(names):
        if stop():
            raise Stopped("The audit was asked to stop.", "", "Run `workbench evaluate RUN` again.")
        work.attack(name)
        listener(Progress(NAME, done + 1, len(names)))
    if not work.pieces:
        return Check(NAME, None, {"audit": asdict(audit)}, tuple(work.reasons))
    work.control()
    settings = {
        "audit": asdict(audit),
        "members": int(audited.inside.sum()),
        "others": int((~audited.inside).sum()),
        "left_out": left_out,
        "references": work.references,
        "controls_of": work.first,
        "seed": audit.seed,
    } | work.canaries()
    return Check(NAME, pa.concat_tables(work.pieces), settings, tuple(work.reasons))


def _too_few(rows: int, reserve: int) -> str:
    return (
        f"Membership was not audited: {rows} members and as many others that can be compared class by class"
        f" ({reserve} rows in reserve). At least {FEWEST} of each are needed for any figure, about"
        f" {rows_to_detect(0.6):,} to find an area of .60, {rows_to_detect(0.55):,} to find .55, and 1,000 for hits at"
        " 1 % false alarms: label more rows, and set data.splits.reserve to 1000 or more."
    )


class _Work:
    """The audit under way: texts are embedded once, each family of shadows is trained once."""

    def __init__(self, subject: Subject, audit: Audit, audited: Audited, stop: Stop) -> None:
        self.subject, self.audit, self.audited, self.stop = subject, audit, audited, stop
        self.random = np.random.default_rng([audit.seed, 1])
        self.masks = random_halves(audited.labels, audit.shadows, self.random)
        pool = subject.splits.pool
        sampled = np.sort(self.random.permutation(len(pool))[: audit.pool_rows])
        self.sample = plain(pool.texts).take(pa.array(sampled))
        self.references: dict[str, Any] = {}
        self.reasons: list[str] = []
        self.pieces: list[pa.Table] = []
        self.first = ""
        self._vectors: Array | None = None
        self._features: dict[tuple[tuple[int, int], int, bool], Array] = {}
        self._pools: dict[tuple[tuple[int, int], int], Pool] = {}
        self._teacher: tuple[Array, Shadows] | None = None
        self._looked, self._no_encoder = False, ""
        self._opened: Encoder | None = None

    def attack(self, name: str) -> None:
        """Attack one candidate and keep the scores; what cannot be attacked is named with its reason."""
        try:
            said = self._probabilities(name)
        except WorkbenchError as error:
            self.reasons.append(f"{name} was not attacked: {error.problem} {error.would_be_right}")
            return
        audited = self.audited
        confidence = said[np.arange(len(audited)), audited.labels]
        self.first = self.first or name
        self._keep(name, "loss", loss_score(confidence))
        try:
            shadows = self._shadows(name, said)
        except WorkbenchError as error:
            self.reasons.append(f"{name} was attacked by its loss alone: {error.problem} {error.would_be_right}")
            return
        if shadows is None:
            self.reasons.append(f"{name} was attacked by its loss alone: {self._no_encoder}")
            return
        self.references[name] = self._about(name, shadows)
        own = shadows.confidence(audited.labels)
        self._keep(name, "rmia", rmia_score(confidence, own, shadows.inside, ~audited.inside))
        self._keep(name, "lira", lira_score(confidence, own, shadows.inside))

    def _about(self, name: str, shadows: Shadows) -> dict[str, Any]:
        """What is known of the references, and whether they are of another kind than the candidate."""
        kind, about = self.subject.candidates[name].kind, shadows.about()
        whole = kind == "head" and (shadows.distance is None or not (name == "teacher" and self._tuned()))
        if not (kind == "linear" or whole):
            about["approximated"].append(f"The shadows are linear models, {name} is of another kind ({kind}).")
        return about

    def control(self) -> None:
        """Blind baseline and over-fitted head."""
        audited = self.audited
        self._keep("blind", "words", blind_score(audited, self.audit.seed))
        features = self._encoded()[: len(audited)] if self._can_encode() else self._text_features()
        said = memorised(features, audited)
        self._keep("memorised", "loss", loss_score(said[np.arange(len(audited)), audited.labels]))

    def canaries(self) -> dict[str, Any]:
        """Exposure of canaries, where they were asked for."""
        if not self.audit.canaries:
            return {}
        from workbench.evaluation.canaries import expose

        if self._teacher is None:
            self.reasons.append(f"No canaries were put in: {self._no_encoder or 'there is no head to put them in'}")
            return {}
        _, shadows = self._teacher
        found = expose(self._encoder(), self._encoded()[: len(self.audited)], self.audited, shadows, self.audit)
        return {"canaries": found}

    def _keep(self, subject: str, attack: str, score: Array) -> None:
        audited, known = self.audited, np.isfinite(score)
        count = int(known.sum())
        columns = {
            "subject": pa.array([subject] * count, pa.string()),
            "attack": pa.array([attack] * count, pa.string()),
            "row": pa.array(audited.rows[known], pa.int64()),
            "label": pa.array(audited.labels[known], pa.int32()),
            "member": pa.array(audited.inside[known]),
            "score": pa.array(score[known], pa.float64()),
        }
        self.pieces.append(pa.table(columns))

    def _probabilities(self, name: str) -> Array:
        candidate = self.subject.candidates[name]
        if name == "teacher" and candidate.kind == "head" and not self._tuned() and self._can_encode():
            head = candidate.head  # type: ignore[attr-defined]
            return np.asarray(head.predict_proba(self._encoded()[: len(self.audited)]))
        return np.asarray(candidate.predict_proba(self.audited.texts))

    def _shadows(self, name: str, said: Array) -> Shadows | None:
        candidate = self.subject.candidates[name]
        if name == "teacher" and self.audit.tuned and self._tuned() and self._can_encode():
            from workbench.evaluation.tuned_references import tuned_shadows

            own = self._encoded()[: len(self.audited)]
            return tuned_shadows(self.subject, self._encoder(), own, self.audited, self.audit.tuned, stop=self.stop)
        if name.startswith("teacher"):
            return self._head_shadows(said, real=name == "teacher") if self._can_encode() else None
        if name.startswith("student-"):
            return self._student_shadows(name, said)
        runs, buckets = getattr(candidate, "ngrams", TEXT_RUNS), getattr(candidate, "buckets", TEXT_BUCKETS)
        taken = self.masks[: self.audit.text_shadows]
        features = self._text_features(runs, buckets)
        return label_shadows(features, self.audited, taken, said, TEXT_STRENGTHS, stop=self.stop)

    def _tuned(self) -> bool:
        """Whether the teacher's encoder was trained too."""
        teacher = self.subject.recipe.teacher
        return teacher is not None and any(one.method != "head" for one in (teacher, *teacher.ensemble))

    def _head_shadows(self, said: Array, *, real: bool = True) -> Shadows:
        """Shadow heads; those of the run's own teacher label for the shadow students."""
        made = label_shadows(self._turned(), self.audited, self.masks, said, stop=self.stop)
        if real:
            self._teacher = (said, made)
        return made

    def _student_shadows(self, name: str, said: Array) -> Shadows | None:
        if not self._can_encode() or "teacher" not in self.subject.candidates or not len(self.sample):
            self._no_encoder = self._no_encoder or "its teacher cannot be trained anew on other rows."
            return None
        if self._teacher is None:
            self._head_shadows(self._probabilities("teacher"))
        assert self._teacher is not None  # noqa: S101  (made in the line before)
        taken = self.masks[: self.audit.text_shadows]
        candidate = self.subject.candidates[name]
        runs, buckets = getattr(candidate, "ngrams", TEXT_RUNS), getattr(candidate, "buckets", TEXT_BUCKETS)
        features = self._text_features(runs, buckets, pool=True)
        if (runs, buckets) not in self._pools:
            answers, shadows = self._teacher
            whole = len(self.subject.splits.pool) / len(self.sample)
            known = np.concatenate([answers, self._teacher_on_sample()])
            made = Pool(whole, known, shadows.answers(), self.subject.recipe.distillation)
            self._pools[runs, buckets] = made
        pool = self._pools[runs, buckets]
        return student_shadows(features, self.audited, taken, said, pool, stop=self.stop)

    def _teacher_on_sample(self) -> Array:
        """The real teacher's answers for the sampled pool rows."""
        teacher = self.subject.candidates["teacher"]
        if teacher.kind == "head" and not self._tuned():
            head = teacher.head  # type: ignore[attr-defined]
            return np.asarray(head.predict_proba(self._encoded()[len(self.audited) :]))
        return np.asarray(teacher.predict_proba(self.sample))

    def _text_features(
        self, runs: tuple[int, int] = TEXT_RUNS, buckets: int = TEXT_BUCKETS, *, pool: bool = False
    ) -> Array:
        """Features of n-grams of the audited rows, and of the pool sample where it is asked for."""
        key = ((int(runs[0]), int(runs[1])), int(buckets), pool)
        if key not in self._features:
            texts = pa.concat_arrays([self.audited.texts, self.sample]) if pool else self.audited.texts
            self._features[key] = principal_of_kernel(text_kernel(texts, key[0], key[1]))
        return self._features[key]

    def _can_encode(self) -> bool:
        if not self._looked:
            self._looked = True
            self._opened, self._no_encoder = base_encoder(self.subject)
        return self._opened is not None

    def _encoder(self) -> Encoder:
        """The encoder that the teacher read with before any tuning; asked only where there is one."""
        assert self._opened is not None  # noqa: S101  (see above)
        return self._opened

    def _encoded(self) -> Array:
        """Its vectors of audited rows and pool sample, shape ``(rows, dimensions)``."""
        if self._vectors is None:
            texts = pa.concat_arrays([self.audited.texts, self.sample])
            self._vectors = self._encoder().encode(texts, stop=self.stop)
        return self._vectors

    def _turned(self) -> Array:
        return principal(self._encoded())
