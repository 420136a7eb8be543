"""The part of a recipe that says what the table is: source, columns, splits, label budget."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from workbench.recipe.base import Column, Name, Part, Where


class Source(Part):
    """Where the table comes from: exactly one of a file, an installed package, a hub data set or an object."""

    path: str | None = Field(
        None, title="File", description="CSV, TSV, JSONL or Parquet file, relative to the recipe's folder."
    )
    package: str | None = Field(
        None, title="Package", description="Installed Python package that carries the data, read by a named reader."
    )
    reader: str | None = Field(
        None, title="Reader", description="Name of the reader that knows the package's files, for example icd10cm."
    )
    hub: str | None = Field(
        None, title="Hub data set", description="owner/name of a hub data set, or a local folder in the same layout."
    )
    revision: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{40}$",
        title="Revision",
        description="Commit of the hub data set, 40 hex digits; needed before anything is downloaded.",
    )
    split: str | None = Field(None, title="Hub split", description="Split of the hub data set; all when left out.")
    table: Literal["given"] | None = Field(
        None,
        title="Object",
        description="The table is handed over in Python: a pandas frame or a datasets.Dataset.",
    )
    encoding: str | None = Field(
        None, title="Encoding", description="Encoding of a text file; UTF-8 (with or without BOM) when left out."
    )
    delimiter: str | None = Field(
        None, max_length=1, title="Delimiter", description="Delimiter of a CSV file; found by itself when left out."
    )

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        given = [name for name in ("path", "package", "hub", "table") if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            raise ValueError(f"name exactly one of path, package, hub, table; this names {found}")
        if (self.package is None) != (self.reader is None):
            raise ValueError("package and reader go together: {package: simple-icd-10-cm, reader: icd10cm}")
        return self


class FurtherTest(Part):
    """One more test split beside the headline, called ``test_<name>``."""

    where: Where = Field(
        default_factory=dict, title="Where", description="Column to the values that a row may have to stand in it."
    )
    groups: Literal["seen", "unseen"] = Field(
        "seen",
        title="Groups",
        description="seen: rows of groups that stand in labels or pool too (transductive); unseen: of held-out groups.",
    )


class SplitRules(Part):
    """How rows become train, validation, pool, reserve and tests."""

    by: Literal["group", "random", "column"] = Field(
        "random",
        title="Split by",
        description="group: whole groups are held out; random: rows, stratified by label; column: the table says it.",
    )
    column: Column | None = Field(
        None,
        title="Split column",
        description="With by: column, the column that holds train, validation, pool, reserve, test or test_<name>.",
    )
    test_share: float = Field(
        0.2, gt=0, lt=1, title="Share held out", description="Share of groups (or rows) that is held out for testing."
    )
    train_where: Where = Field(
        default_factory=dict,
        title="Rows to learn from",
        description="Column to values: which rows may be labelled, pooled or reserved; all when empty.",
    )
    test_where: Where = Field(
        default_factory=dict, title="Rows to test on", description="Column to values: which rows may stand in test."
    )
    further_tests: dict[Name, FurtherTest] = Field(
        default_factory=dict, title="Further tests", description="Name to rule of each further test split."
    )
    reserve: int = Field(
        1000,
        ge=0,
        le=100_000,
        title="Reserve",
        description="Rows like train kept out of labels and pool, for the privacy audit and coverage checks.",
    )
    max_pool: int | None = Field(
        None, ge=0, title="Largest pool", description="Cap on the rows of the pool; no cap when left out."
    )
    max_test: int | None = Field(
        None, ge=1, title="Largest test", description="Cap on the rows of each test split; no cap when left out."
    )
    near_duplicate: float = Field(
        0.8,
        ge=0.5,
        le=1.0,
        title="Near-duplicate",
        description="Jaccard similarity of word sets from which two texts count as near-duplicates.",
    )


class LabelBudget(Part):
    """How many labels the run may use."""

    per_class: int | None = Field(
        None,
        ge=2,
        le=1_000_000,
        title="Labels a class",
        description="Labels of each class that may be used, validation included; all of them when left out.",
    )
    validation: float = Field(
        0.2,
        gt=0,
        lt=1,
        title="Share for validation",
        description="Share of the label budget that chooses and calibrates instead of training.",
    )


class Data(Part):
    """The table, its columns and its splits."""

    source: Source = Field(title="Source", description="Where the table comes from.")
    text: Column = Field("text", title="Text column", description="Column with the text to classify.")
    label: Column = Field(
        "label", title="Label column", description="Column with the class; rows without one go to the pool."
    )
    id: Column | None = Field(
        None, title="Id column", description="Column with a unique row id; the row number when left out."
    )
    group: Column | None = Field(
        None, title="Group column", description="Rows that share a group are never split between learning and test."
    )
    slices: tuple[Column, ...] = Field(
        (), max_length=20, title="Slices", description="Columns whose values are reported one by one."
    )
    exclude_classes: tuple[str, ...] = Field(
        (), title="Classes left out", description="Labels whose rows are not used at all."
    )
    splits: SplitRules = Field(
        default_factory=lambda: SplitRules(), title="Splits", description="How rows become train, pool and tests."
    )
    labelled: LabelBudget = Field(
        default_factory=lambda: LabelBudget(), title="Label budget", description="How many labels the run may use."
    )
    corrections: str | None = Field(
        None,
        title="Corrections",
        description="File of label corrections (who, why, when), relative to the recipe's folder.",
    )
    allow_leakage: str | None = Field(
        None,
        min_length=10,
        max_length=500,
        title="Allow leakage because",
        description="Reason why a run may go on though test rows leak into training; shown on page one of the report.",
    )
    keep_personal_data: str | None = Field(
        None,
        min_length=10,
        max_length=500,
        title="Keep personal data because",
        description="Reason why findings of personal data are kept; shown in the report where they are counted.",
    )

    @model_validator(mode="after")
    def _split_columns(self) -> Self:
        if self.splits.by == "group" and self.group is None:
            raise ValueError("splits.by is group, so data.group must name the group column")
        if (self.splits.by == "column") != (self.splits.column is not None):
            raise ValueError("splits.column is given exactly when splits.by is column")
        return self
