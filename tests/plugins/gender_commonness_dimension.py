"""A dimension that somebody adds: its declaration, in a file of its own."""

from refusal_parity.dimensions import Dimension, Unit, declare

declare(
    Dimension(
        key="gender_commonness",
        unit=Unit.NAME,
        one="{level} name",
        many="{level} names",
        parts=("gender", "commonness"),
    )
)
