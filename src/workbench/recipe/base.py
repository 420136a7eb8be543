"""What every part of a recipe stands on: strictness, and the kinds of words that names and columns are."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"
Name = Annotated[str, Field(pattern=NAME)]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Column = Annotated[str, Field(min_length=1, max_length=200)]
Where = dict[Column, list[str]]


class Part(BaseModel):
    """Base of every part: unknown keys are errors, nothing changes after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, strict=False, use_attribute_docstrings=False
    )
