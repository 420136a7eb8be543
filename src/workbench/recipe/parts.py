"""A recipe and its parts: what to make, never how to run code.

Each field carries its range and one sentence, written once here and used as form tooltip, YAML comment
and documentation. Reading needs no torch. Numbers that a method takes are fields; file names of code,
interpolation and environment variables are not.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from workbench.recipe.base import Name, Part, Text
from workbench.recipe.data_parts import Data
from workbench.recipe.distillation_parts import Distillation
from workbench.recipe.privacy_parts import Privacy
from workbench.recipe.tuning_parts import Cut, Losses, Tuning


class Member(Part):
    """One teacher of an ensemble, or the only one."""

    model: str | None = Field(
        None,
        title="Encoder",
        description="Encoder that reads the texts: a known name, a local folder, or a hub name with revision.",
    )
    method: Literal["head", "finetune", "lora"] = Field(
        "head",
        title="Method",
        description="head: a linear layer on a frozen encoder; finetune: then all of it; lora: low-rank updates of it.",
    )
    tuning: Tuning | None = Field(
        None, title="Tuning", description="How the encoder is trained (methods finetune and lora); defaults when empty."
    )
    revision: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{40}$",
        title="Revision",
        description="Commit of the hub model, 40 hex digits; needed before anything is downloaded.",
    )
    max_tokens: int = Field(
        128, ge=8, le=8192, title="Longest text", description="Tokens read of each text; the rest is cut, and counted."
    )
    layers: tuple[Annotated[int, Field(ge=0, le=200)], ...] = Field(
        (),
        max_length=4,
        title="Layers",
        description="Layers of the encoder whose mean vectors are joined (0: word embeddings); the last when empty.",
    )
    file: str | None = Field(
        None,
        title="File",
        description="Parquet or CSV with a row id and either a label or one p_<class> column a class, as teacher.",
    )
    baseline: bool = Field(
        False, title="The baseline", description="The baseline itself is a member (useful inside an ensemble)."
    )
    weight: float = Field(
        1.0, gt=0, le=100, title="Weight", description="Weight of this member's probabilities in the ensemble's mean."
    )

    def kinds(self) -> list[str]:
        """Which of the ways to name a teacher are used; exactly one is right."""
        used = {"model": self.model is not None, "file": self.file is not None, "baseline": self.baseline}
        return [name for name, is_used in used.items() if is_used]

    @model_validator(mode="after")
    def _tuned(self) -> Self:
        if self.method != "head" and self.model is None:
            raise ValueError(f"method {self.method} trains an encoder: name it with model")
        if self.method == "head" and self.tuning is not None:
            raise ValueError("tuning belongs to the methods finetune and lora; with head the encoder stays as it is")
        return self


class Teacher(Member):
    """Who labels the pool: an encoder with a head, a file, or an ensemble of these."""

    ensemble: tuple[Member, ...] = Field(
        (), max_length=8, title="Ensemble", description="Teachers whose probabilities are averaged."
    )
    privacy: Privacy | None = Field(
        None, title="Privacy", description="Differential privacy for labelled rows (method head); none when left out."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.ensemble and self.kinds():
            raise ValueError("an ensemble lists all its members; leave model, file and baseline to them")
        for member in self.ensemble or (self,):
            if len(member.kinds()) != 1:
                raise ValueError("name exactly one of model, file, baseline for each teacher")
        if not self.ensemble and self.baseline:
            raise ValueError("the baseline alone cannot be the teacher: that is what selftrain candidates show")
        if self.privacy is not None and (self.ensemble or self.model is None or self.method != "head"):
            raise ValueError("privacy is for a single teacher with a model and method head")
        return self


class Student(Part):
    """A compact model to train from the teacher's soft targets."""

    name: Name = Field(title="Name", description="The candidate is called student-<name>.")
    kind: Literal["linear", "static", "transformer"] = Field(
        title="Kind",
        description="linear: hashed n-grams; static: averaged token embeddings; transformer: an encoder, cut.",
    )
    cut: Cut | None = Field(
        None, title="Cut", description="Which part of an encoder a transformer student starts from; all when empty."
    )
    losses: Losses | None = Field(
        None, title="Losses", description="What a transformer student is pulled to; soft targets alone when empty."
    )
    tuning: Tuning | None = Field(
        None, title="Tuning", description="How a transformer student is trained; defaults when empty."
    )
    compress: tuple[Literal["onnx", "int8", "fp16"], ...] = Field(
        (),
        title="Compress",
        description="Further candidates: onnx (as it is), int8 (ONNX, 8-bit weights), fp16 (16-bit weights).",
    )
    ngrams: tuple[int, int] = Field(
        (2, 5), title="N-grams", description="Shortest and longest run of bytes that a linear student sees (1 to 8)."
    )
    buckets: int = Field(
        131_072,
        ge=1024,
        le=4_194_304,
        title="Buckets",
        description="Places that n-grams are hashed to; size in memory grows with it.",
    )
    dimensions: int = Field(
        128, ge=8, le=1024, title="Dimensions", description="Length of a static student's token embeddings."
    )
    model: str | None = Field(
        None,
        title="Encoder",
        description="Encoder that a static or transformer student comes from; the teacher's when empty.",
    )
    epochs: int = Field(5, ge=1, le=1000, title="Epochs", description="Passes over the soft targets.")
    learning_rate: float = Field(
        0.01, gt=0, le=10, title="Learning rate", description="Step size of the optimiser (static students)."
    )
    l2: float | None = Field(
        None, ge=0, le=100, title="L2", description="Strength of weight decay; chosen on validation when left out."
    )
    rounds: int = Field(
        1,
        ge=1,
        le=5,
        title="Rounds",
        description="With 2 or more, the student of one round is averaged with the teacher to label the next.",
    )

    @model_validator(mode="after")
    def _ngram_order(self) -> Self:
        low, high = self.ngrams
        if not 1 <= low <= high <= 8:
            raise ValueError(f"ngrams must be two numbers with 1 <= first <= second <= 8, not [{low}, {high}]")
        if self.buckets & (self.buckets - 1):
            below = 1 << (self.buckets.bit_length() - 1)
            raise ValueError(f"buckets must be a power of two, for example {below} or {2 * below}, not {self.buckets}")
        return self

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if self.name.endswith(("-onnx", "-int8", "-fp16", "-short")):
            raise ValueError(f"the name '{self.name}' ends like that of a compressed candidate; choose another one")
        given = {"cut": self.cut, "losses": self.losses, "tuning": self.tuning}
        if self.kind == "transformer":
            return self
        foreign = [name for name, value in given.items() if value is not None]
        if foreign:
            raise ValueError(f"{', '.join(foreign)}: only for kind transformer, not {self.kind}")
        if self.kind == "linear" and self.compress:
            raise ValueError("compress: a linear student is small already and runs on NumPy alone")
        if set(self.compress) - {"onnx"}:
            raise ValueError("compress: a static student is stored in 8 bits already; onnx alone is for it")
        return self


class Evaluation(Part):
    """How candidates are judged."""

    primary: Literal["macro_f1", "accuracy", "weighted_f1", "micro_f1"] = Field(
        "macro_f1", title="Primary metric", description="The one metric that decides; named before the run."
    )
    seeds: int = Field(
        1, ge=1, le=20, title="Seeds", description="Repetitions of label draw, initialisation and order."
    )
    margin: float = Field(
        0.01, gt=0, lt=0.5, title="Margin", description="Loss in the primary metric that still counts as as-good-as."
    )
    confidence: float = Field(0.95, gt=0.5, lt=1, title="Confidence", description="Confidence level of every interval.")
    resamples: int = Field(
        10_000, ge=1000, le=100_000, title="Resamples", description="Bootstrap resamples of each interval."
    )
    target_error: float = Field(
        0.1,
        gt=0,
        lt=0.5,
        title="Target error",
        description="Largest share of wrong answers among those given without a person; sets the threshold.",
    )
    coverage: float = Field(
        0.9, gt=0.5, lt=1, title="Coverage", description="How often the set of classes shall hold the right one."
    )
    false_flags: float = Field(
        0.05, gt=0, lt=0.5, title="False flags", description="Share of own texts that may be flagged as off-domain."
    )
    flips: tuple[Literal["general", "health"], ...] = Field(
        ("general",),
        max_length=2,
        title="Flips",
        description="English swap lists for counterfactual flips: general, health; none when empty.",
    )
    suite: str | None = Field(
        None,
        title="Suite",
        description="Behaviour tests: a shipped suite or a YAML file; the one of the recipe's name if empty.",
    )


class Carbon(Part):
    """Where the electricity comes from, what a run may emit, and what its model is compared with."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(
        title="Country", description="ISO 3166 alpha-3 code of the country whose grid feeds this machine, e.g. FRA."
    )
    region: str | None = Field(
        None,
        min_length=1,
        max_length=60,
        title="Region",
        description="State, province or bidding zone of the grid (USA, CAN, CHN, SWE, NOR, FIN); else the country.",
    )
    intensity_g_per_kwh: float | None = Field(
        None,
        ge=0,
        le=3000,
        title="Intensity",
        description="Grams of CO2e a kWh of the electricity in fact used, for example of a contract; else a table's.",
    )
    pue: float = Field(
        1.0,
        ge=1,
        le=5,
        title="PUE",
        description="What the building takes for each kWh of the machine (cooling); 1 for a machine in an office.",
    )
    metered_seconds: float = Field(
        10.0,
        ge=1,
        le=600,
        title="Metered seconds",
        description="How long each candidate predicts to find its energy per 1,000; under 10 the figure is rough.",
    )
    budget_grams: float | None = Field(
        None,
        gt=0,
        le=1_000_000,
        title="Budget",
        description="Grams of CO2e that a run may emit: it warns on the way and stops before; no limit when left out.",
    )
    volume: int | None = Field(
        None, ge=1, le=10**12, title="Volume", description="Predictions a month that the model will make, for payback."
    )
    hosted: str | None = Field(
        None, min_length=1, max_length=80, title="Hosted", description="Name of the hosted service to compare with."
    )
    hosted_price: float | None = Field(
        None,
        gt=0,
        le=100_000,
        title="Hosted price",
        description="What 1,000 predictions cost there, in your currency.",
    )
    kwh_price: float | None = Field(
        None, ge=0, le=100, title="Price of a kWh", description="What a kWh costs you, in your currency."
    )
    hour_price: float | None = Field(
        None,
        ge=0,
        le=10_000,
        title="Price of an hour",
        description="What an hour of this machine costs you without electricity (rent or wear), in your currency.",
    )
    currency: str | None = Field(
        None, pattern=r"^[A-Z]{3}$", title="Currency", description="ISO 4217 code of the prices, e.g. EUR."
    )

    @model_validator(mode="after")
    def _priced(self) -> Self:
        prices = {name: getattr(self, name) for name in ("hosted_price", "kwh_price", "hour_price")}
        given = [name for name, value in prices.items() if value is not None]
        if given and self.currency is None:
            raise ValueError(f"{', '.join(given)}: say in which currency, for example currency: EUR")
        return self


class Report(Part):
    """What the report may show."""

    examples: bool = Field(
        False, title="Examples", description="Whether texts of rows may be kept in the run and shown in the report."
    )


class Recipe(Part):
    """Everything that says what a run makes."""

    format: Literal[1] = Field(1, title="Format", description="Version of the recipe's format.")
    name: Name = Field(title="Name", description="Lower-case name; also the folder of its runs.")
    task: Literal["text-classification"] = Field(
        "text-classification", title="Task", description="What the model does."
    )
    purpose: Text = Field(title="Purpose", description="Who uses the model for what, and what it must not be used for.")
    data: Data = Field(title="Data", description="The table, its columns and its splits.")
    teacher: Teacher | None = Field(
        None, title="Teacher", description="Who labels the pool; without one only the baseline is made."
    )
    students: tuple[Student, ...] = Field(
        (), max_length=12, title="Students", description="Compact models to make and compare."
    )
    distillation: Distillation = Field(
        default_factory=lambda: Distillation(), title="Distillation", description="How students learn from the teacher."
    )
    evaluation: Evaluation = Field(
        default_factory=lambda: Evaluation(), title="Evaluation", description="How candidates are judged."
    )
    carbon: Carbon = Field(
        title="Carbon", description="Where the electricity comes from, what a run may emit, what it is compared with."
    )
    report: Report = Field(default_factory=lambda: Report(), title="Report", description="What the report may show.")

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [student.name for student in self.students]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"student names must differ; used twice: {', '.join(twice)}")
        if self.distillation.smoothing is not None and self.teacher is not None:
            if not any(member.model for member in self.teacher.ensemble or (self.teacher,)):
                raise ValueError("distillation.smoothing needs a teacher with a model, whose space has neighbours")
            if self.teacher.privacy is not None:
                raise ValueError(
                    "distillation.smoothing passes on labels of labelled rows; leave it out with teacher.privacy"
                )
        from_teacher = [one.name for one in self.students if one.cut is not None and one.cut.start == "teacher"]
        if from_teacher and self.teacher is not None and self.teacher.model is None:
            raise ValueError(f"cut.start: teacher of {', '.join(from_teacher)} needs a single teacher with a model")
        if self.students and self.teacher is None:
            raise ValueError("students need a teacher; add one, or leave the students out for a baseline alone")
        return self

    def plain(self) -> dict[str, Any]:
        """The recipe as plain values with every default filled in, ready for JSON or YAML."""
        return self.model_dump(mode="json", exclude_none=True)
