"""What trains: libraries that only its job needs, and that take seconds to import."""

from __future__ import annotations

import importlib
from typing import Any, Final

from refusal_parity.errors import InputError

LIBRARIES: Final = ("trl", "peft", "datasets")


def training_module() -> Any:
    """The module `variants`, imported now.

    Raises:
        InputError: its libraries are not installed.
    """
    try:
        return importlib.import_module("refusal_parity.training.variants")
    except ModuleNotFoundError as error:
        if error.name not in LIBRARIES:
            raise
        raise InputError(
            f"{error.name} is not installed, which training needs",
            where="train",
            remedy="Run `make install` again, or let jobs make their own environments "
            "(--sdm conda).",
        ) from None
