"""One model's prompts split among several jobs, and their responses gathered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.counting import counted
from refusal_parity.errors import InputError
from refusal_parity.inference.finish_reasons import unknown_reasons
from refusal_parity.tables import Responses, read_metadata, read_tables, write_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def take_shard(prompts: pl.DataFrame, shard: int, shards: int) -> pl.DataFrame:
    """Every `shards`-th prompt, so that all shards get their part of each template.

    Args:
        prompts: a table of `Prompts`.
        shard: which shard, from 1.
        shards: how many there are.
    """
    return prompts.gather_every(shards, offset=shard - 1)


def gather_shards(paths: Sequence[Path], prompts: pl.DataFrame, output: Path) -> None:
    """Write the table of `Responses` that one job would have written, row for row.

    Args:
        paths: the shards' tables of `Responses`.
        prompts: all prompts, in their order.
        output: where the table goes.

    Raises:
        InputError: rows are missing, or the shards were not drawn in one way.
    """
    responses = read_tables(Responses, paths)
    provenance = _provenance(paths) | {"warnings": list(unknown_reasons(responses))}
    expected = len(prompts) * provenance["samples"]
    places = prompts.select("prompt_id", place=pl.int_range(pl.len()))
    ordered = (
        responses.join(places, on="prompt_id", how="inner").sort("place", "sample").drop("place")
    )
    if len(ordered) != expected or len(responses) != expected:
        raise InputError(
            f"the shards hold {counted(len(responses), 'response')} to the study's prompts "
            f"instead of {expected:,}",
            where=str(paths[0].parents[1]),
            remedy="Delete that folder and run again.",
        )
    write_table(ordered, Responses, output, metadata=provenance)


def _provenance(paths: Sequence[Path]) -> dict[str, Any]:
    """What the shards have in common; devices may differ and are all named."""
    each = [read_metadata(path) for path in paths]
    first = each[0]
    for path, other in zip(paths, each, strict=True):
        differing = [
            key
            for key in sorted(first.keys() | other.keys())
            if key not in {"device", "warnings"} and other.get(key) != first.get(key)
        ]
        if differing:
            raise InputError(
                f"drawn with another {differing[0]} than {paths[0]}",
                where=str(path),
                remedy="Delete one of them and run again: its responses are drawn anew.",
            )
    devices = sorted({device for one in each for device in one["device"].split(" and ")})
    return first | {"device": " and ".join(devices), "shards": len(paths)}
