"""What every section of the config has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A key that becomes part of a path or a job name."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Section(BaseModel):
    """A mapping of the config: keys that it does not know are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
