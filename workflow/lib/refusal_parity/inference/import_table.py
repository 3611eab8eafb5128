"""Responses made elsewhere, in any table whose columns the config names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.cells import NOTHING, ROW
from refusal_parity.counting import agreed, counted
from refusal_parity.csvfiles import row_of
from refusal_parity.errors import InputError
from refusal_parity.factors import is_listed
from refusal_parity.inference.column_names import ROWS, kind_of
from refusal_parity.inference.finish_reasons import finish_reason, is_failure
from refusal_parity.inference.import_labels import known_labels
from refusal_parity.inference.import_rows import read_chosen
from refusal_parity.inference.requests import CUT_OFF
from refusal_parity.inference.servers.errors import one_line
from refusal_parity.inference.servers.refusals import filter_of_choice, filter_of_error
from refusal_parity.inference.warned import WARNING
from refusal_parity.spelling import as_known
from refusal_parity.tables import Responses
from refusal_parity.vocabulary import Status
from refusal_parity.workbooks import LONGEST_CELL, fills_a_cell, is_workbook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from refusal_parity.config import ImportModel, TableColumns

_SHOWN: Final = 5
_BAD_REQUEST: Final = 400
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
    rows = _with_refusals(_without_words(read_chosen(path, source, model, say), path, say))
    keyed = _matched(rows, columns, prompts, path)
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
            f"in row {found[ROW][0]}, and {agreed(len(found), 'counts', 'count')} as empty: "
            "responses that say this themselves can be read from JSON lines"
        )
    return rows.with_columns(
        pl.when(~pl.col(column).is_in(NOTHING)).then(column).alias(column)
        for column in ("response", "refusal", "error", "thinking", "finish_reason")
    )


def _with_refusals(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with what a model wrote to refuse after what it had begun with."""
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
    if error is not None and refused is None:
        # A code is one word; in a sentence the same word may say anything.
        code = {} if " " in error else {"code": error}
        refused = one_line(error) if filter_of_error(_BAD_REQUEST, code, error) else None
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


def _matched(
    rows: pl.DataFrame, columns: TableColumns, prompts: pl.DataFrame, path: Path
) -> pl.DataFrame:
    """Rows with their prompt_id and prompt; all must have one."""
    if columns.system_prompt is None and prompts["arm"].n_unique() > 1:
        raise InputError(
            f"the study has {prompts['arm'].n_unique()} arms and the file does not say which",
            where=str(path),
            remedy="Name the column of system prompts in columns.system_prompt.",
        )
    keys = ["template", "name"] if columns.prompt is None else ["prompt"]
    if columns.system_prompt is not None:
        keys.append("system_prompt")
    given = rows.with_columns(_as_in_study(rows[key], prompts) for key in keys)
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
            f"row {row[ROW]}: {', '.join(repr(row[key]) for key in keys)}"
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


def _as_in_study(given: pl.Series, prompts: pl.DataFrame) -> pl.Series:
    """Texts of a column as the study writes them; templates, names, listed prompts by key too."""
    texts = prompts[given.name].unique(maintain_order=True).to_list()
    found = as_known(given, texts)
    listed = given.name == "prompt" and is_listed(prompts)
    if given.name in {"template", "name"} or listed:
        key = "template_id" if listed else f"{given.name}_id"
        by_key = dict(prompts.select(key, given.name).unique(maintain_order=True).iter_rows())
        known = set(texts)
        by_text = [text if text in known else None for text in found]
        keys = as_known(given, by_key)
        found = [
            text if text is not None else by_key.get(key or "")
            for text, key in zip(by_text, keys, strict=True)
        ]
    return pl.Series(given.name, found, dtype=pl.String)


def _refuse(rows: pl.DataFrame, path: Path, *, what: str, remedy: str) -> None:
    if len(rows):
        raise InputError(
            what.format(**rows.row(0, named=True)), where=row_of(path, rows), remedy=remedy
        )
