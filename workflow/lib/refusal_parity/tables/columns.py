"""Columns that several tables have."""

from __future__ import annotations

import dataframely as dy

from refusal_parity.outcomes import OUTCOMES


def outcome_key(*, description: str, primary_key: bool = False) -> dy.String:
    """Key of an outcome; whichever are declared when rows are checked."""
    return dy.String(
        primary_key=primary_key,
        description=description,
        check={"a_declared_outcome": lambda key: key.is_in(list(OUTCOMES))},
    )


def method_key(*, description: str, primary_key: bool = False, nullable: bool = False) -> dy.String:
    """Key of a statistical method; whichever are declared beside their code."""
    return dy.String(
        primary_key=primary_key,
        nullable=nullable,
        description=description,
        regex=r"^[a-z][a-z0-9_]*$",
    )


def probability(description: str) -> dy.Float64:
    """A share of something, a rate or a p-value; null where it cannot be given."""
    return dy.Float64(nullable=True, min=0, max=1, description=description)
