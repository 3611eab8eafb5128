"""Expansion: templates x names x arms, a block of templates at a time; lists x arms."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from refusal_parity.config.arms import NO_GUARD, arms_of
from refusal_parity.placeholders import columns_of, parted
from refusal_parity.tables import Prompts, conform, write_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import dataframely as dy

    from refusal_parity.config.arms import Arms

_BLOCK_ROWS: Final = 200_000
# A prompt_id: the digest of the template, then those of what is sent of the name, and of the arm.
_ID: Final = np.dtype([("template", "S12"), ("pair", "S16")])
_ARM: Final = ("arm", "system_prompt")


def expand(templates: pl.DataFrame, names: pl.DataFrame, arms: Arms) -> pl.DataFrame:
    """Every template with every name under every arm, in the order of the files.

    Args:
        templates: as from `read_templates`, T rows.
        names: as from `read_names`, N rows.
        arms: what is done to a request, by key, A of them.

    Returns:
        A table of `Prompts` with T x N x A rows, the factors of both files behind it, and
        `guard` where an arm has one.
    """
    table = pa.concat_tables(_blocks(templates, names, arms), promote_options="permissive")
    return pl.DataFrame(table).with_columns(pl.col(pl.Categorical).cast(pl.String))


def write_prompts(templates: pl.DataFrame, names: pl.DataFrame, arms: Arms, path: Path) -> int:
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


def _blocks(templates: pl.DataFrame, names: pl.DataFrame, arms: Arms) -> Iterator[pa.Table]:
    """The product in blocks of whole templates.

    Texts that repeat a part of the product are dictionary-encoded: only
    prompt and prompt_id have a text of its own for each row. Columns without a
    gap are said to have none, which spares their writer a mark for each row.
    """
    of_arms = table_of(arms)
    pairs = names.join(of_arms, how="cross")
    digest_of_arm = digests(pairs["identity"], 6)
    of_pair = [*names.columns, *_ARM, *(["guard"] if "guard" in of_arms.columns else [])]
    before, behind = _array(pairs["before"]), _array(pairs["behind"])
    wraps = any(pairs["before"] + pairs["behind"])
    texts = {
        column.upper(): _array(pairs[column])
        for column, kind in names.schema.items()
        if kind == pl.String
    }
    templates = templates.with_columns(
        _digest=digests(templates["template"], 12),
        _columns=pl.Series(
            [columns_of(each, names.columns) for each in templates["template"]],
            dtype=pl.List(pl.String),
        ),
    )
    tails = {
        columns: (digests(_sent(pairs, columns), 10) + digest_of_arm).to_numpy().astype("S16")
        for columns in {tuple(each) for each in templates["_columns"].to_list()}
    }
    in_block = max(1, _BLOCK_ROWS // len(pairs))
    of_pairs = {
        column: _taken(pairs[column], np.tile(np.arange(len(pairs), dtype=np.int32), in_block))
        for column in of_pair
    }
    template_of_row = np.repeat(np.arange(in_block, dtype=np.int32), len(pairs))
    core = Prompts.column_names()
    gaps = {each.name for part in (templates, pairs) for each in part if each.null_count()}
    for block in templates.iter_slices(in_block):
        rows = len(block) * len(pairs)
        columns: dict[str, pa.Array | pa.ChunkedArray] = {
            "prompt_id": _ids(
                block["_digest"], [tails[tuple(used)] for used in block["_columns"].to_list()]
            ),
            "prompt": pa.chunked_array(
                pc.binary_join_element_wise(before, filled, behind, "") if wraps else filled
                for filled in (_filled(template, texts) for template in block["template"])
            ),
        }
        for column in block.columns[:-2]:
            columns[column] = _taken(block[column], template_of_row[:rows])
        for column, repeated in of_pairs.items():
            columns[column] = repeated[:rows]
        order = [*core, *(column for column in columns if column not in core)]
        fields = [pa.field(each, columns[each].type, nullable=each in gaps) for each in order]
        yield pa.table(columns, schema=pa.schema(fields))


def table_of(arms: Arms) -> pl.DataFrame:
    """One row for each arm: its columns of `Prompts`, what is around the request, its identity."""
    known = arms_of(arms)
    around = [arm.around for arm in known.values()]
    table = pl.DataFrame(
        {
            "arm": list(known),
            "system_prompt": [arm.system for arm in known.values()],
            "guard": [arm.guard or NO_GUARD for arm in known.values()],
            "before": [before for before, _ in around],
            "behind": [behind for _, behind in around],
            "identity": [arm.identity for arm in known.values()],
        },
        schema=dict.fromkeys(
            ("arm", "system_prompt", "guard", "before", "behind", "identity"), pl.String
        ),
    )
    return table if any(arm.guard for arm in known.values()) else table.drop("guard")


def _sent(pairs: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    """What a name puts into a template with these placeholders beside its own."""
    if not columns:
        return pairs["name"].to_list()
    return [
        "\x1f".join((name, *others)) for name, *others in pairs.select("name", *columns).iter_rows()
    ]


def _filled(template: str, texts: Mapping[str, pa.Array]) -> pa.Array:
    """The template with what each name has in place of every placeholder.

    Args:
        template: its text.
        texts: for each placeholder, one text for each name and arm.
    """
    first, *rest = parted(template)
    parts = (
        part
        for name, text in zip(rest[::2], rest[1::2], strict=True)
        for part in (texts[name], text)
    )
    return pc.binary_join_element_wise(first, *parts, "")


def _ids(of_templates: pl.Series, of_pairs: Sequence[np.ndarray]) -> pa.Array:
    """The prompt_ids of a block: bytes of one length, laid out without a string for each.

    Args:
        of_templates: the digest of each template, T of them.
        of_pairs: for each template, those of P names and arms.

    Returns:
        T x P texts, a template after the other.
    """
    ids = np.empty((len(of_templates), len(of_pairs[0])), _ID)
    ids["template"] = of_templates.to_numpy().astype("S12")[:, np.newaxis]
    ids["pair"] = of_pairs
    ends = np.arange(ids.size + 1, dtype=np.int32) * np.int32(ids.itemsize)
    return pa.StringArray.from_buffers(ids.size, pa.py_buffer(ends), pa.py_buffer(ids))


def _taken(values: pl.Series, rows: np.ndarray) -> pa.Array:
    """A column's values at these rows: numbers as they are, texts dictionary-encoded."""
    if values.dtype == pl.Float64:
        return pa.array(values.to_list(), pa.float64()).take(pa.array(rows))
    encoded = _array(values).dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(pa.array(rows)), encoded.dictionary)


def _array(texts: pl.Series) -> pa.Array:
    return pa.array(texts.to_list(), pa.string())


def digests(texts: Iterable[str | None], length: int) -> pl.Series:
    """Hexadecimal SHA-256 of each text, cut to `length`; null and "" differ.

    Hashing the three parts of a prompt and joining the digests costs T + N + A
    hashes instead of T x N x A.
    """
    salted = ("-" if text is None else f"+{text}" for text in texts)
    return pl.Series(
        [hashlib.sha256(text.encode()).hexdigest()[:length] for text in salted], dtype=pl.String
    )


def list_prompts(listed: pl.DataFrame, arms: Arms) -> dy.DataFrame[Prompts]:
    """Every prompt of a list under every arm, in the order of the file.

    Args:
        listed: as from `read_list`.
        arms: by key.

    Returns:
        Table of Prompts; there is no name.

    Raises:
        InputError: two arms send the same.
    """
    of_arms = table_of(arms)
    of_arms = of_arms.with_columns(_arm=digests(of_arms["identity"], 6))
    [nobody] = digests([None], 10)
    nothing = {column: pl.lit(None, pl.String) for column in ("name_id", "name")}
    table = (
        listed.with_columns(_prompt=digests(listed["template"], 12))
        .join(of_arms, how="cross", maintain_order="left_right")
        .with_columns(
            prompt_id=pl.concat_str("_prompt", pl.lit(nobody), "_arm"),
            prompt=pl.concat_str("before", "template", "behind"),
            **nothing,
        )
        .drop("_prompt", "_arm", "before", "behind", "identity")
    )
    return conform(table, Prompts, where="prompts")
