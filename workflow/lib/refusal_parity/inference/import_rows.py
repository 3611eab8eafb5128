"""Which rows of somebody's file are responses of one model, and how many there may be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.csvfiles import row_of
from refusal_parity.errors import InputError
from refusal_parity.inference.column_names import ROWS, kind_of, refuse_missing
from refusal_parity.inference.first_of_several import first_of_each, spread
from refusal_parity.inference.response_files import read_columns
from refusal_parity.inference.warned import WARNING
from refusal_parity.spelling import reading
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from refusal_parity.config import ImportModel

_SHOWN: Final = 10

_FEW_COPIES: Final = 10
"""Fewer prompts may have the same texts by chance."""


def read_chosen(
    path: Path, source: ImportModel, model: str, say: Callable[[str], None]
) -> pl.DataFrame:
    """The rows of a table that the config asks for.

    Args:
        path: a file that `read_columns` takes.
        source: the model's part of the config, with `columns`.
        model: the model's key.
        say: told of responses that are not read.

    Returns:
        The columns of `TableColumns` but for `model`, and `ROW`.

    Raises:
        InputError: the file cannot be read, or no row has what is asked for.
    """
    asked = _asked(source)
    rows = read_columns(path, asked, sheet=source.sheet, rows=source.rows, say=say)
    rows = first_of_each(rows, _named(source), in_words=kind_of(path) in ROWS)
    for column, words in source.where.items():
        rows = _with(rows, f"where.{column}", words, path)
    called = asked["columns.model"]
    if called is not None:
        nobodys = rows.filter(pl.col("columns.model").is_null())
        if len(nobodys):
            raise InputError(
                f"column {called!r}, which columns.model names, is empty in "
                f"{counted(len(nobodys), 'row')}",
                where=row_of(path, nobodys),
                remedy="Write the model into each row, of cells that were merged too, or leave "
                "such rows out with `where`.",
            )
        rows = _with(rows, "columns.model", source.called or model, path)
    kept = rows.drop("columns.model", *(f"where.{column}" for column in source.where))
    return kept.rename(lambda name: name.removeprefix("columns."))


def refuse_missing_columns(source: ImportModel) -> None:
    """Raise an InputError where the head of a model's file lacks a column that the config names.

    Args:
        source: the model's part of the config, whose file is there.

    Raises:
        InputError: a column is missing or ambiguous.
    """
    if source.columns is not None:
        refuse_missing(Path(source.path), _asked(source))


def _asked(source: ImportModel) -> dict[str, str | None]:
    """Columns of the file by the keys of the config that name them."""
    return spread(_named(source)) | {f"where.{column}": column for column in source.where}


def _named(source: ImportModel) -> dict[str, str | list[str] | None]:
    named = source.columns.model_dump() if source.columns is not None else {}
    return {f"columns.{key}": name for key, name in named.items()}


def _with(rows: pl.DataFrame, key: str, words: str | list[str], path: Path) -> pl.DataFrame:
    """Rows in which one of the words stands."""
    wanted = [words] if isinstance(words, str) else words
    read = rows[key].map_elements(reading, return_dtype=pl.String)
    missing = [word for word in wanted if reading(word) not in set(read.drop_nulls())]
    if missing:
        found = rows[key].drop_nulls().unique(maintain_order=True).to_list()
        shown = ", ".join(map(repr, found[:_SHOWN])) + ", ..." * (len(found) > _SHOWN)
        raise InputError(
            f"no row has {missing[0]!r} in the column that {key} names "
            f"(found: {shown or 'nothing'})",
            where=str(path),
            remedy="Correct the config; where the file calls a model otherwise, say how in "
            "`called`.",
        )
    return rows.filter(read.is_in([reading(word) for word in wanted]))


def refuse_too_many(
    responses: pl.DataFrame, prompts: pl.DataFrame, samples: int, path: Path
) -> None:
    """Raise an InputError where a file has more responses than the study has room for.

    A prompt lacks a response wherever it lacks a sample number that others have: where each row
    has its own, nearly all would count as missing.

    Args:
        responses: rows of the Responses table.
        prompts: the study's table of `Prompts`.
        samples: responses for each prompt, as the config says.
        path: the file.
    """
    counts = responses.group_by("prompt_id", maintain_order=True).len()
    most = counts.filter(pl.col("len") > samples)
    if len(most):
        first = most.join(prompts, on="prompt_id", how="left", maintain_order="left").row(
            0, named=True
        )
        raise InputError(
            f"{counted(len(responses), 'response')} are more than "
            f"{counted(len(prompts), 'prompt')} x {counted(samples, 'sample')} have room for: "
            f"{first['len']} answer {first['prompt']!r}",
            where=str(path),
            remedy=_tried_again(responses, most)
            + f"If all are of this model, write `samples: {max(counts['len'].to_list())}`. "
            "If the file holds several models, name their column in columns.model, or choose rows "
            "with `where`.",
        )
    numbers = responses["sample"].unique().sort()
    if len(numbers) > samples:
        raise InputError(
            f"its samples have {len(numbers):,} different numbers, up to {numbers[-1]:,}, where "
            f"each prompt of this study has {counted(samples, 'sample')}",
            where=str(path),
            remedy="If the column that columns.sample names counts rows, or anything else than "
            "the responses to one prompt, leave columns.sample out; if responses are missing, "
            f"write `samples: {len(numbers)}`.",
        )


def _tried_again(responses: pl.DataFrame, several: pl.DataFrame) -> str:
    """A sentence where requests that failed seem to stand in the file beside later ones."""
    of_several = responses.join(several, on="prompt_id", how="semi")
    failed = of_several.filter(pl.col("status") == str(Status.ERROR))
    answered = of_several.filter(pl.col("status") != str(Status.ERROR))
    again = failed.join(answered, on="prompt_id", how="semi")
    if again.is_empty():
        return ""
    return (
        f"{counted(len(again), 'row')} that failed {agreed(len(again), 'has', 'have')} the same "
        "prompt as others that did not: if these were asked again, take the failed ones out. "
    )


def copies(responses: pl.DataFrame) -> str | None:
    """A sentence where each prompt has one text in all its rows, as copied rows have."""
    texts = responses.filter(status=str(Status.OK)).group_by("prompt_id")
    counts = texts.agg(rows=pl.len(), distinct=pl.col("response").n_unique())
    several = counts.filter(pl.col("rows") > 1)
    if len(several) < _FEW_COPIES or (several["distinct"] > 1).any():
        return None
    return (
        f"{WARNING}all {counted(len(several), 'prompt')} with several responses have the same text "
        "in each: if rows were copied, or temperature was 0, leave one of them, since copies make "
        "intervals too narrow"
    )


def without_text(responses: pl.DataFrame) -> str | None:
    """A sentence where labels were given to responses whose text is missing."""
    found = responses.filter(pl.col("imported_label").is_not_null(), status=str(Status.EMPTY))
    if found.is_empty():
        return None
    return (
        f"{WARNING}{counted(len(found), 'row')} {agreed(len(found), 'has', 'have')} a label and no "
        "response, which counts as empty, whatever the label says: give the text, or a word in its "
        "place where nobody may read it"
    )


def labelled_otherwise(responses: pl.DataFrame) -> str | None:
    """A sentence where labels were given to responses that count by what the file says of them."""
    counts = {str(Status.FILTERED): "as refused by a filter", str(Status.ERROR): "as failed"}
    found = responses.filter(
        pl.col("imported_label").is_not_null(), pl.col("status").cast(pl.String).is_in([*counts])
    )
    if found.is_empty():
        return None
    said = ", ".join(
        f"{how} ({', '.join(f'{n:,} {label}' for label, n in sorted(Counter(labels).items()))})"
        for status, how in counts.items()
        if (labels := found.filter(status=status)["imported_label"].cast(pl.String).to_list())
    )
    return (
        f"{WARNING}{counted(len(found), 'labelled row')} {agreed(len(found), 'counts', 'count')} "
        f"{said} by what columns.finish_reason and columns.error name, and not by "
        f"{agreed(len(found), 'its label', 'their labels')}: if people labelled what the model "
        "said, leave these columns out"
    )


def unanswered(responses: pl.DataFrame, prompts: pl.DataFrame, path: Path) -> str | None:
    """A sentence on the prompts that a file has no response to, if there are any."""
    silent = len(prompts) - responses["prompt_id"].n_unique()
    if not silent:
        return None
    return (
        f"{silent:,} of {counted(len(prompts), 'prompt')} {agreed(silent, 'has', 'have')} no "
        f"response in {path}"
    )
