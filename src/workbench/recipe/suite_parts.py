"""A suite of behaviour tests as plain data: three kinds of tests, no code (Ribeiro et al., 2020, CheckList).

A minimum functionality test says which class a text must get; an invariance test says which changes of a text must
not change its class; a directional test says which way a change must move a probability, or that it must change the
class. A class is named whole, by the beginning that only it has (``"02"`` for ``02 Neoplasms``), or by a short name
that the suite gives it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from workbench.recipe.base import Name, Part, Text

Perturbation = Literal[
    "typos", "case", "punctuation", "abbreviations", "word-order", "truncation", "homoglyphs", "padding"
]
SHARES: dict[str, tuple[float, float, float]] = {
    "typos": (0.001, 0.5, 0.05),
    "truncation": (0.01, 0.99, 0.5),
    "homoglyphs": (0.001, 1.0, 0.1),
    "padding": (1, 200, 12),
}
"""Least, greatest and default level of the perturbations that have a number; padding counts words."""
FORMS: dict[str, tuple[str, ...]] = {"case": ("lower", "upper", "title"), "punctuation": ("removed", "added")}
"""The forms of those that have a word; the first is the default."""


def _as_list(value: Any) -> Any:
    """One class is a list of one."""
    return [value] if isinstance(value, str) else value


ClassName = Annotated[str, Field(min_length=1, max_length=300)]
ClassNames = Annotated[tuple[ClassName, ...], BeforeValidator(_as_list), Field(min_length=1, max_length=50)]


class Perturb(Part):
    """A named change that is made to every text of an invariance test."""

    name: Perturbation = Field(title="Perturbation", description="Which change.")
    level: float | str | None = Field(
        None,
        title="Level",
        description="Share of letters (typos, homoglyphs), of words kept (truncation), words (padding), or a form.",
    )
    copies: int = Field(
        1, ge=1, le=20, title="Copies", description="Differently drawn variants of each text; all of them must agree."
    )
    words: dict[Text, Text] = Field(
        default_factory=dict, title="Words", description="With abbreviations: each long form and its short one."
    )

    @model_validator(mode="after")
    def _level_fits(self) -> Self:
        if self.name in SHARES:
            low, high, _ = SHARES[self.name]
            fits = self.level is None or (isinstance(self.level, float | int) and low <= self.level <= high)
            wanted = f"a number from {low:g} to {high:g}"
        else:
            forms = FORMS.get(self.name, ())
            fits = self.level is None or self.level in forms
            wanted = f"one of {', '.join(forms)}" if forms else "left out"
        if not fits:
            raise ValueError(f"level of {self.name} is {wanted}, not {self.level!r}")
        if self.words and self.name != "abbreviations":
            raise ValueError(f"words go with the perturbation abbreviations, not with {self.name}")
        return self

    @property
    def chosen_level(self) -> float | str:
        """The level that is used: the given one or the default; empty where there is none."""
        if self.level is not None:
            return self.level
        return SHARES[self.name][2] if self.name in SHARES else FORMS.get(self.name, ("",))[0]


class Case(Part):
    """What every case has."""

    text: Text = Field(title="Text", description="The text that is sorted.")
    note: str = Field("", max_length=500, title="Note", description="Why this case stands here.")


class MinimumCase(Case):
    """A text and the classes that would be right."""

    expect: ClassNames = Field(title="Expected", description="The class that is right, or several of them.")


class InvarianceCase(Case):
    """A text and others that must get the same class."""

    variants: tuple[Text, ...] = Field(
        (), max_length=50, title="Variants", description="Texts that mean the same; besides the named perturbation."
    )


class DirectionCase(Case):
    """A text, a changed one, and what the change must do."""

    changed: Text = Field(title="Changed text", description="The text after the change.")
    rises: ClassName | None = Field(None, title="Rises", description="Class whose probability must rise.")
    falls: ClassName | None = Field(None, title="Falls", description="Class whose probability must fall.")
    changes: Literal[True] | None = Field(None, title="Changes", description="true: the class must be another one.")
    by: float = Field(0.0, ge=0, lt=1, title="By", description="By more than this (a probability).")

    @model_validator(mode="after")
    def _one_wish(self) -> Self:
        if sum(wish is not None for wish in (self.rises, self.falls, self.changes)) != 1:
            raise ValueError("give exactly one of rises, falls, changes")
        return self


class MinimumTest(Part):
    """Texts that any model fit for the purpose must sort right."""

    name: Name = Field(title="Name", description="Lower-case name, once in a suite.")
    kind: Literal["minimum"] = Field(title="Kind", description="Minimum functionality.")
    about: Text = Field(title="About", description="What a failure would mean.")
    cases: tuple[MinimumCase, ...] = Field(min_length=1, title="Cases", description="Texts with their classes.")


class InvarianceTest(Part):
    """Changes that must not matter."""

    name: Name = Field(title="Name", description="Lower-case name, once in a suite.")
    kind: Literal["invariance"] = Field(title="Kind", description="Same class before and after.")
    about: Text = Field(title="About", description="What a failure would mean.")
    perturb: Perturb | None = Field(None, title="Perturb", description="Named change of every text; none when empty.")
    cases: tuple[InvarianceCase, ...] = Field(min_length=1, title="Cases", description="Texts, with their variants.")

    @model_validator(mode="after")
    def _something_changes(self) -> Self:
        bare = [place for place, case in enumerate(self.cases) if not case.variants]
        if self.perturb is None and bare:
            numbers = ", ".join(str(place) for place in bare[:5])
            raise ValueError(f"cases {numbers} have no variants, and the test names no perturb: nothing would change")
        return self


class DirectionTest(Part):
    """Changes that must matter, and which way."""

    name: Name = Field(title="Name", description="Lower-case name, once in a suite.")
    kind: Literal["direction"] = Field(title="Kind", description="The change must have a stated effect.")
    about: Text = Field(title="About", description="What a failure would mean.")
    cases: tuple[DirectionCase, ...] = Field(min_length=1, title="Cases", description="Texts with their changes.")


Test = MinimumTest | InvarianceTest | DirectionTest


class SuiteFile(Part):
    """A suite as it stands in its file."""

    format: Literal[1] = Field(1, title="Format", description="Version of the suite's format.")
    name: Name = Field(title="Name", description="Lower-case name; also in the name of its evidence file.")
    about: Text = Field(title="About", description="How the cases were found, and what they are for.")
    classes: dict[Name, ClassName] = Field(
        default_factory=dict,
        title="Classes",
        description="Short name to a class, or to the beginning that only it has.",
    )
    tests: tuple[Annotated[Test, Field(discriminator="kind")], ...] = Field(
        min_length=1, max_length=200, title="Tests", description="Tests of one of the three kinds."
    )
