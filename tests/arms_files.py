"""The config of the arms models, and what is asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from refusal_parity.config import Arm, arms_of
from refusal_parity.demo.wording import read_rows

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("near-unsafe.csv", "unsafe.csv")


def texts_of(root: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The names and the templates."""
    data = root / "data"
    return read_rows(data / "names.csv"), [row for each in FILES for row in read_rows(data / each)]


def arms_config(root: Path) -> dict[str, Any]:
    """The config that ships."""
    found: dict[str, Any] = yaml.safe_load((root / "config/safeguards.yaml").read_text("utf-8"))
    return found


def arms_asked(root: Path) -> dict[str, Arm]:
    """Its arms."""
    return arms_of(arms_config(root)["prompts"]["arms"])
