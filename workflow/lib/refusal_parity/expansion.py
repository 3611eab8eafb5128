"""Template expansion: templates x names x arms, a block of templates at a time."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from refusal_parity.prompts import NAME
from refusal_parity.tables import Prompts, conform, write_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_BLOCK_ROWS: Final = 200_000
_OF_TEMPLATE: Final = ("template_id", "family", "template")
_OF_PAIR: Final = ("name_id", "name", "group", "gender", "commonness", "arm", "system_prompt")


def expand(
    templates: pl.DataFrame, names: pl.DataFrame, arms: Mapping[str, str | None]
) -> pl.DataFrame:
    """Every template with every name under every arm, in the order of the files.

    Args:
        templates: as from `read_templates`, T rows.
        names: as from `read_names`, N rows.
        arms: system prompt by arm, A of them; null sends none.

    Returns:
        A table of `Prompts` with T x N x A rows.
    """
    table = pa.concat_tables(_blocks(templates, names, arms), promote_options="permissive")
    return pl.DataFrame(table).cast(pl.String)


def write_prompts(
    templates: pl.DataFrame, names: pl.DataFrame, arms: Mapping[str, str | None], path: Path
) -> int:
    """Write what `expand` gives, holding one block of it at a time.

    Returns:
        Number of prompts.

    Raises:
        InputError: two arms send the same, or the folder cannot be written.
    """
    # A prompt_id is one digest of each part in a row, so that the ids of the
    # product are unique where those of its edges are.
    for edge in (expand(templates[:1], names, arms), expand(templates, names[:1], arms)):
        conform(edge, Prompts, where=str(path))
    write_blocks(_blocks(templates, names, arms), Prompts, path)
    return len(templates) * len(names) * len(arms)


def _blocks(
    templates: pl.DataFrame, names: pl.DataFrame, arms: Mapping[str, str | None]
) -> Iterator[pa.Table]:
    """The product in blocks of whole templates.

    Columns that repeat a part of the product are dictionary-encoded: only
    prompt and prompt_id have a text of its own for each row.
    """
    systems = pl.DataFrame(
        {"arm": list(arms), "system_prompt": list(arms.values())},
        schema={"arm": pl.String, "system_prompt": pl.String},
    )
    pairs = names.with_columns(_name=_digests(names["name"], 10)).join(
        systems.with_columns(_system=_digests(systems["system_prompt"], 6)), how="cross"
    )
    tails = _array(pairs["_name"] + pairs["_system"])
    pair_names = _array(pairs["name"])
    templates = templates.with_columns(_digest=_digests(templates["template"], 12))
    in_block = max(1, _BLOCK_ROWS // len(pairs))
    of_pairs = {
        column: _repeated(_array(pairs[column]).dictionary_encode(), in_block)
        for column in _OF_PAIR
    }
    template_of_row = pa.array(np.repeat(np.arange(in_block, dtype=np.int32), len(pairs)))
    for block in templates.iter_slices(in_block):
        rows = len(block) * len(pairs)
        columns: dict[str, pa.Array | pa.ChunkedArray] = {
            "prompt_id": pa.chunked_array(
                pc.binary_join_element_wise(digest, tails, "") for digest in block["_digest"]
            ),
            "prompt": pa.chunked_array(
                _filled(template, pair_names) for template in block["template"]
            ),
        }
        for column in _OF_TEMPLATE:
            columns[column] = pa.DictionaryArray.from_arrays(
                template_of_row[:rows], _array(block[column])
            )
        for column, repeated in of_pairs.items():
            columns[column] = repeated[:rows]
        order = Prompts.column_names()
        yield pa.table([columns[column] for column in order], names=order)


def _filled(template: str, names: pa.Array) -> pa.Array:
    """The template with each name in place of every [NAME]."""
    first, *rest = template.split(NAME)
    return pc.binary_join_element_wise(
        first, *(part for text in rest for part in (names, text)), ""
    )


def _repeated(encoded: pa.DictionaryArray, times: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(
        pa.concat_arrays([encoded.indices] * times), encoded.dictionary
    )


def _array(texts: pl.Series) -> pa.Array:
    return pa.array(texts.to_list(), pa.string())


def _digests(texts: Iterable[str | None], length: int) -> pl.Series:
    """Hexadecimal SHA-256 of each text, cut to `length`; null and "" differ.

    Hashing the three parts of a prompt and joining the digests costs T + N + A
    hashes instead of T x N x A.
    """
    salted = ("-" if text is None else f"+{text}" for text in texts)
    return pl.Series(
        [hashlib.sha256(text.encode()).hexdigest()[:length] for text in salted], dtype=pl.String
    )
