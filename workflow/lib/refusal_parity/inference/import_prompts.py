"""Which prompt of the study a response of somebody's file answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.cells import ROW
from refusal_parity.counting import agreed, counted
from refusal_parity.csvfiles import row_of
from refusal_parity.errors import InputError
from refusal_parity.factors import is_listed
from refusal_parity.spelling import as_known

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from refusal_parity.config import TableColumns

_SHOWN: Final = 5
_FOR_KEYS: Final = 0.5
"""Share of rows whose prompt is a key of the study, from which on all are taken to be keys."""


def matched(
    rows: pl.DataFrame, columns: TableColumns, prompts: pl.DataFrame, path: Path
) -> pl.DataFrame:
    """Rows with their prompt_id and prompt; all must have one.

    Args:
        rows: of the file, by the keys of `TableColumns`.
        columns: which of them say what was asked.
        prompts: the study's table of `Prompts`.
        path: the file, for an error.

    Raises:
        InputError: a row answers no prompt of the study, or may answer several.
    """
    keys_of_study = rows["prompt"].is_in(prompts["prompt_id"].to_list()).fill_null(value=False)
    unknown = rows.filter(~keys_of_study)
    if columns.prompt is not None and keys_of_study.sum() >= _FOR_KEYS * max(rows.height, 1):
        if len(unknown):
            raise InputError(
                f"{counted(len(unknown), 'row')} of {rows.height:,} "
                f"{agreed(len(unknown), 'has', 'have')} a prompt_id that is none of this study "
                f"({unknown['prompt'][0]!r})",
                where=row_of(path, unknown),
                remedy="Take such rows out, or name the prompts that they are of.",
            )
        ids = rows.select(pl.exclude("prompt_id")).rename({"prompt": "prompt_id"})
        asked = prompts.select("prompt_id", "prompt")
        return ids.join(asked, on="prompt_id", how="left", maintain_order="left")
    if columns.system_prompt is None and prompts["arm"].n_unique() > 1:
        raise InputError(
            f"the study has {prompts['arm'].n_unique()} arms and the file does not say which",
            where=str(path),
            remedy="Name the column of system prompts in columns.system_prompt, or one of "
            "`prompt_id` (as in prompts.parquet) in columns.prompt.",
        )
    keys = ["template", "name"] if columns.prompt is None else ["prompt"]
    if columns.system_prompt is not None:
        keys.append("system_prompt")
    _refuse_alike(keys, prompts, path)
    given = rows.with_columns(_as_in_study(rows[key], prompts, path) for key in keys)
    matched = given.select(pl.exclude({"prompt"} - set(keys))).join(
        prompts.select("prompt_id", *{*keys, "prompt"}),
        on=keys,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    strangers = rows.filter(matched["prompt_id"].is_null())
    if len(strangers):
        shown = "; ".join(
            f"{row[ROW]}: {', '.join(repr(row[key]) for key in keys)}"
            for row in strangers.head(_SHOWN).iter_rows(named=True)
        )
        more = f"; and {len(strangers) - _SHOWN} more" if len(strangers) > _SHOWN else ""
        listed = is_listed(prompts)
        must = "texts or keys of the list" if listed else "those of the study, word by word"
        raise InputError(
            f"{len(strangers)} of {counted(len(rows), 'row')} "
            f"{agreed(len(strangers), 'answers', 'answer')} no prompt of this study "
            f"({shown}{more})",
            where=str(path),
            remedy=f"Their {' and '.join(keys)} must be {must}: correct the study's "
            f"{'list' if listed else 'templates, names'} and arms, or remove the rows.",
        )
    return matched


def _refuse_alike(keys: Sequence[str], prompts: pl.DataFrame, path: Path) -> None:
    """Raise where what a file says of a prompt is the same of two, so that it may answer either.

    Files have nothing where there is no system prompt, and where it is the empty text.
    """
    blank = prompts.with_columns(pl.col("system_prompt").fill_null(""))
    twice = blank.filter(blank.select(keys).is_duplicated())
    if len(twice):
        one, other, *_ = twice.filter(pl.struct(keys) == pl.struct(keys).first())["arm"]
        raise InputError(
            f"arms {one!r} and {other!r} have prompts that do not differ in what the file says of "
            f"them ({', '.join(keys)})",
            where=str(path),
            remedy="Name the column of the whole prompt, as it was sent, or of `prompt_id` (as in "
            "prompts.parquet) in columns.prompt.",
        )


def _as_in_study(given: pl.Series, prompts: pl.DataFrame, path: Path) -> pl.Series:
    """Texts of a column as the study writes them; templates, names, listed prompts by key too."""
    texts = prompts[given.name].unique(maintain_order=True).to_list()
    found = as_known(given, texts)
    listed = given.name == "prompt" and is_listed(prompts)
    if given.name in {"template", "name"} or listed:
        key = "template_id" if listed else f"{given.name}_id"
        pairs = prompts.select(key, given.name).unique(maintain_order=True)
        by_key = dict(pairs.iter_rows())
        known = set(texts)
        by_text = [text if text in known else None for text in found]
        # Programs that know no whole numbers beside gaps write 1.0 for 1.
        whole = given.str.replace(r"^(\d+)\.0$", "${1}")
        either = pl.when(given.is_in(list(by_key))).then(given).otherwise(whole)
        keys = as_known(pl.select(either).to_series(), by_key)
        several = set(pairs.filter(pl.col(key).is_duplicated())[key])
        for at, (text, word) in enumerate(zip(by_text, keys, strict=True)):
            if text is None and word in several:
                raise InputError(
                    f"{word!r} stands for several prompts, one of each arm",
                    where=f"{path}, response {at + 1}",
                    remedy="Name the column of the whole prompt, as it was sent, or of `prompt_id` "
                    "(as in prompts.parquet) in columns.prompt.",
                )
        found = [
            text if text is not None else by_key.get(key or "")
            for text, key in zip(by_text, keys, strict=True)
        ]
    return pl.Series(given.name, found, dtype=pl.String)
