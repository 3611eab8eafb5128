"""Responses made elsewhere, in any table whose columns the config names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.cells import NOTHING, ROW
from refusal_parity.counting import agreed, counted
from refusal_parity.csvfiles import row_of
from refusal_parity.errors import InputError
from refusal_parity.inference.column_names import ROWS, kind_of
from refusal_parity.inference.finish_reasons import finish_reason, is_failure
from refusal_parity.inference.first_of_several import is_no_error
from refusal_parity.inference.import_labels import known_labels
from refusal_parity.inference.import_prompts import matched
from refusal_parity.inference.import_rows import read_chosen
from refusal_parity.inference.requests import CUT_OFF
from refusal_parity.inference.servers.errors import one_line
from refusal_parity.inference.servers.refusals import filter_of_choice, filter_of_words
from refusal_parity.inference.warned import WARNING
from refusal_parity.tables import Responses
from refusal_parity.vocabulary import Status
from refusal_parity.workbooks import LONGEST_CELL, fills_a_cell, is_workbook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from refusal_parity.config import ImportModel

_WITHOUT_WORDS: Final = (
    *("response", "refusal", "error", "thinking"),
    *("finish_reason", "system_prompt"),
)
_TRUTHS: Final = frozenset({"true", "false", "yes", "no", "0", "1"})
_UNKNOWN: Final = (
    *("response_id", "seed", "prompt_tokens", "response_tokens", "cost", "rendered_sha256"),
    *("answered_at", "answered_by", "fingerprint"),
)


def read_response_table(
    path: Path,
    source: ImportModel,
    prompts: pl.DataFrame,
    *,
    model: str,
    say: Callable[[str], None],
) -> pl.DataFrame:
    """Read responses from any table and match them with the study's prompts.

    Args:
        path: a file that `read_columns` takes, one row for each response.
        source: the model's part of the config: which column holds what, which rows are
            taken, and what the file's words for labels mean.
        prompts: the study's table of `Prompts`.
        model: key under which the responses are filed.
        say: told of what was read otherwise than it is written.

    Returns:
        A table of `Responses`, in the order of prompts and samples.

    Raises:
        InputError: a column is missing, no row is of the model, a row answers no prompt of
            the study or stands there twice, or a label or sample number is none.
    """
    columns = source.columns
    if columns is None:
        raise TypeError("a table needs its columns")
    rows = _without_words(read_chosen(path, source, model, say), path, say)
    rows = _with_errors(_with_refusals(rows, path), say)
    keyed = matched(rows, columns, prompts, path)
    if columns.sample is None:
        keyed = keyed.with_columns(sample=pl.int_range(pl.len()).over("prompt_id"))
    keyed = keyed.with_columns(
        known_sample=_numbered(keyed["sample"], say),
        imported_label=known_labels(keyed, source.labels, path),
        response=pl.col("response").fill_null(""),
    )
    _refuse(
        keyed.filter((pl.col("known_sample") >= 0).fill_null(value=False).not_()),
        path,
        what="sample {sample!r} is no number from 0 or 1",
        remedy="Number the responses to one prompt 0, 1, 2, ..., or leave columns.sample out.",
    )
    _refuse(
        keyed.filter(~pl.struct("prompt_id", "known_sample").is_first_distinct()),
        path,
        what="sample {sample} of {prompt!r} stands here again",
        remedy="Keep one of the rows, or name the column that numbers them in columns.sample.",
    )
    order = prompts.select("prompt_id").with_row_index("_order")
    full = fills_a_cell("response") if is_workbook(path) else pl.lit(value=False)
    keyed = keyed.with_columns(full=full)
    if cut := int(keyed["full"].sum()):
        say(
            f"{WARNING}{counted(cut, 'response')} {agreed(cut, 'fills', 'fill')} a cell of "
            f"{LONGEST_CELL:,} characters, the most that workbooks hold, and "
            f"{agreed(cut, 'counts', 'count')} as cut off: read the whole text from CSV or JSON "
            "lines"
        )
    return (
        _ended(keyed)
        .with_columns(
            *(pl.lit(None, Responses.columns()[column].dtype).alias(column) for column in _UNKNOWN),
            model=pl.lit(model),
            sample="known_sample",
        )
        .join(order, on="prompt_id")
        .sort("_order", "sample")
        .select(Responses.column_names())
    )


def _without_words(rows: pl.DataFrame, path: Path, say: Callable[[str], None]) -> pl.DataFrame:
    """Rows with no response where a program wrote a word for nothing into a table of text."""
    if kind_of(path) not in ROWS:
        return rows
    is_word = pl.col("response").is_in(NOTHING)
    found = rows.filter(is_word)
    if len(found):
        words = found["response"].unique(maintain_order=True)
        say(
            f"{WARNING}{counted(len(found), 'response')} {agreed(len(found), 'is', 'are')} "
            f"{' or '.join(map(repr, words))}, which programs write where nothing came, the first "
            f"in {found[ROW][0]}, and {agreed(len(found), 'counts', 'count')} as empty: "
            "responses that say this themselves can be read from JSON lines"
        )
    return rows.with_columns(
        pl.when(~pl.col(column).is_in(NOTHING)).then(column).alias(column)
        for column in _WITHOUT_WORDS
    )


def _with_errors(rows: pl.DataFrame, say: Callable[[str], None]) -> pl.DataFrame:
    """Rows without errors that are none, and a word on those that have a response too."""
    rows = rows.with_columns(error=pl.when(~is_no_error(pl.col("error"))).then("error"))
    both = rows.filter(pl.col("error").is_not_null(), pl.col("response").is_not_null())
    if len(both):
        say(
            f"{WARNING}{counted(len(both), 'row')} {agreed(len(both), 'has', 'have')} a response "
            f"and an error, the first in {both[ROW][0]} ({one_line(both['error'][0])!r}), and "
            f"{agreed(len(both), 'counts', 'count')} as failed: if the error is of a check or a "
            "later step, leave columns.error out or name another column"
        )
    return rows


def _with_refusals(rows: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Rows with what a model wrote to refuse after what it had begun with."""
    written = set(rows["refusal"].drop_nulls().str.to_lowercase())
    _refuse(
        rows.filter(pl.col("refusal").is_not_null(), pl.lit(written <= _TRUTHS)),
        path,
        what="columns.refusal names a column that holds {refusal!r}, and no text",
        remedy="Name the column of what the model wrote to refuse; one that says whether it "
        "refused is columns.label, with `labels: {'true': refusal, 'false': answer}`.",
    )
    again = pl.when(pl.col("refusal").ne_missing(pl.col("response"))).then("refusal")
    said = pl.concat_str("response", again, separator="\n\n", ignore_nulls=True)
    return rows.with_columns(response=pl.when(said != "").then(said))


def _numbered(samples: pl.Series, say: Callable[[str], None]) -> pl.Series:
    """Numbers of repetitions from 0; null for what is no number."""
    # Programs that know no whole numbers beside gaps write 1.0 for 1, or 1,0.
    texts = samples.cast(pl.String).str.replace(r"(\.0*|,0)$", "")
    numbers = texts.cast(pl.Int32, strict=False)
    if numbers.min() != 1:
        return numbers
    say("the file numbers samples from 1: its sample 1 is sample 0 here, and so on")
    return numbers - 1


def _how(word: str | None, error: str | None) -> tuple[str | None, str | None, str | None]:
    """Finish reason, why a filter refused, and what failed."""
    refused = filter_of_choice({}, {"finish_reason": word})
    if error is not None and refused is None and filter_of_words(error) is not None:
        refused = one_line(error)
    if refused is not None:
        return finish_reason(word), refused, None
    ended = f"finish reason {word!r}" if is_failure(word) else None
    return finish_reason(word), None, one_line(error) if error else ended


def _ended(keyed: pl.DataFrame) -> pl.DataFrame:
    """What came of each request, by the file's finish reason and by the response itself."""
    ended = [_how(*row) for row in keyed.select("finish_reason", "error").iter_rows()]
    columns = ("finish_reason", "refusal_reason", "error")
    told = pl.DataFrame(ended, schema=dict.fromkeys(columns, pl.String), orient="row")
    return keyed.with_columns(told).with_columns(
        status=pl.when(pl.col("refusal_reason").is_not_null())
        .then(pl.lit(str(Status.FILTERED)))
        .when(pl.col("error").is_not_null())
        .then(pl.lit(str(Status.ERROR)))
        .when(pl.col("response") == "")
        .then(pl.lit(str(Status.EMPTY)))
        .otherwise(pl.lit(str(Status.OK))),
        truncated=pl.col("finish_reason").eq_missing(CUT_OFF) | pl.col("full"),
    )


def _refuse(rows: pl.DataFrame, path: Path, *, what: str, remedy: str) -> None:
    if len(rows):
        raise InputError(
            what.format(**rows.row(0, named=True)), where=row_of(path, rows), remedy=remedy
        )
