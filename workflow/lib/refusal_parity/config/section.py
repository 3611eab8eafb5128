"""What every section of the config has in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from refusal_parity.workbooks import is_workbook

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
"""A key that becomes part of a path or a job name."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _as_it_stands(path: str) -> str:
    if set("{}") & set(path):
        raise PydanticCustomError(
            "braces",
            "Snakemake takes what stands between braces for a part of the path that it has to "
            "fill in; rename the file or folder without them",
        )
    if path.startswith("~"):
        raise PydanticCustomError(
            "home", "~ stands for the home folder in a shell alone; write the whole path"
        )
    return path


PathText = Annotated[str, AfterValidator(_as_it_stands)]
"""Path of a file or folder that becomes part of a rule."""


class Section(BaseModel):
    """A mapping of the config: keys that it does not know are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _no_truth_value_for_a_number(cls, given: Any) -> Any:
        """`yes` would be the number 1; as text it is refused with its key."""
        if not isinstance(given, dict):
            return given
        numbers = {
            key: str(given[key]).lower()
            for key, field in cls.model_fields.items()
            if isinstance(given.get(key), bool) and _is_a_number(field.annotation)
        }
        return given | numbers


def _is_a_number(annotation: Any) -> bool:
    kinds = {annotation, *get_args(annotation)}
    return bool(kinds & {int, float}) and bool not in kinds


class Download(Section):
    """A file to fetch once, checked."""

    url: str = Field(pattern=r"^https?://", description="Address of the file, http or https.")
    sha256: Sha256 = Field(description="Checksum that the file must have.")


def lost_sheet(sheet: str | None, path: str) -> str | None:
    """What is wrong where a sheet is named of a file without sheets; null where nothing is."""
    if sheet is None or is_workbook(Path(path)):
        return None
    return f"names a sheet of a workbook, and {path} is none"
