"""A table that somebody adds: its columns and its place, in a file of its own."""

import dataframely as dy

from refusal_parity.tables.registry import table


@table("odours", per_model=False)
class Odours(dy.Schema):
    """How responses smell."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    strength = dy.Float64(min=0, description="parts in a million")
