"""Responses that were made elsewhere."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.errors import InputError
from refusal_parity.inference.finish_reasons import is_complete, unknown_reasons
from refusal_parity.inference.import_own import read_own_responses
from refusal_parity.inference.import_rows import (
    copies,
    labelled_otherwise,
    unanswered,
    without_text,
)
from refusal_parity.inference.import_table import read_response_table
from refusal_parity.inference.odd_texts import damaged, like_failures, run_on, with_prompts
from refusal_parity.inference.released_study import read_responses
from refusal_parity.inference.thinking import Parted, part
from refusal_parity.inference.warned import WARNING
from refusal_parity.spelling import as_known
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from refusal_parity.config import ImportModel, Thinking
    from refusal_parity.inference.released_study import ImportedStudy


_BEGINNING: Final = 20
"""Characters by which a response is known to begin with its thinking, and no tag before it."""


def import_responses(
    path: Path,
    source: ImportModel,
    prompts: pl.DataFrame,
    *,
    model: str,
    say: Callable[[str], None],
) -> pl.DataFrame:
    """Read a file of responses to a study's prompts.

    Args:
        path: the file.
        source: the model's part of the config, which says how the file is laid out.
        prompts: the study's table of `Prompts`.
        model: key under which the responses are filed.
        say: called with what was found.

    Returns:
        A table of `Responses`.

    Raises:
        InputError: the file is not in this layout, or answers other prompts.
    """
    if source.columns is not None:
        responses = read_response_table(path, source, prompts, model=model, say=say)
    elif source.format == "responses":
        responses = read_own_responses(path, prompts, model=model, called=source.called)
    else:
        study = read_responses(path, layout=source.format, model=model)
        responses = answers_to(study, prompts, path)
    responses = _without_thinking(responses, source.thinking, say)
    say(counted(len(responses), "response"))
    remarks = (
        *(copies(responses), without_text(responses), labelled_otherwise(responses)),
        like_failures(responses),
        damaged(responses),
        with_prompts(responses, prompts),
        run_on(responses),
        unanswered(responses, prompts, path),
    )
    for remark in remarks:
        if remark is not None:
            say(remark)
    if source.columns is not None and source.columns.finish_reason is not None:
        for sentence in unknown_reasons(responses):
            say(f"{WARNING}{sentence}")
    return responses


def _without_thinking(
    responses: pl.DataFrame, markup: Thinking, say: Callable[[str], None]
) -> pl.DataFrame:
    """Responses with the thinking that the file has before them in its own column."""
    found = [
        part(text, markup) if status == Status.OK else Parted(text, None)
        for text, status in responses.select("response", "status").iter_rows()
    ]
    found = _all_thinking(responses, found, say)
    response = pl.Series([one.response for one in found], dtype=pl.String)
    thoughts = pl.Series([one.thinking for one in found], dtype=pl.String)
    if thoughts.count():
        unended = responses.filter(response == "", status=str(Status.OK))
        say(
            f"{counted(thoughts.count(), 'response')} "
            f"{agreed(thoughts.count(), 'begins', 'begin')} with thinking, which is kept apart; "
            f"{len(unended):,} of them never came to a response"
        )
    return responses.with_columns(
        response=response,
        # Of a file that keeps some of it apart, both.
        thinking=pl.concat_str("thinking", thoughts, separator="\n\n", ignore_nulls=True).replace(
            "", None
        ),
        status=pl.when((pl.col("status") == str(Status.OK)) & (response == ""))
        .then(pl.lit(str(Status.EMPTY)))
        .otherwise(pl.col("status")),
    )


def _all_thinking(
    responses: pl.DataFrame, found: Sequence[Parted], say: Callable[[str], None]
) -> list[Parted]:
    """Where the prompt opened the thinking, responses that were cut off before its end.

    Other rows then end it by a closing tag alone.
    """
    rows = list(responses.select("response", "status", "truncated", "finish_reason").iter_rows())
    closed = [
        one.thinking is not None and text.lstrip().startswith(one.thinking[:_BEGINNING])
        for one, (text, *_) in zip(found, rows, strict=True)
    ]
    if not any(closed):
        return list(found)
    open_ = [
        one.thinking is None and status == Status.OK
        for one, (_, status, *_) in zip(found, rows, strict=True)
    ]
    unknown = sum(
        each and not truncated and not is_complete(reason)
        for each, (*_, truncated, reason) in zip(open_, rows, strict=True)
    )
    if unknown:
        say(
            f"{WARNING}{counted(unknown, 'response')} {agreed(unknown, 'has', 'have')} no thinking "
            f"where {sum(closed):,} {agreed(sum(closed), 'ends its own', 'end theirs')} by a "
            "closing tag alone, and nothing says whether "
            f"{agreed(unknown, 'it was', 'they were')} cut off: if so "
            f"{agreed(unknown, 'it is', 'they are')} thinking and no answer; name the column that "
            "says so in columns.finish_reason"
        )
    return [
        Parted("", text) if each and truncated else one
        for one, each, (text, _, truncated, _) in zip(found, open_, rows, strict=True)
    ]


def answers_to(study: ImportedStudy, prompts: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The responses of a file under the keys of the study's own prompts.

    Prompts that read as one of the study's are that one.

    Raises:
        InputError: a response answers a prompt that is not in the study.
    """
    keys = ("prompt", "system_prompt")
    own = prompts.select(*keys, own="prompt_id").unique(keys, keep="first", maintain_order=True)
    known = study.prompts.with_columns(
        pl.Series(key, as_known(study.prompts[key], own[key]), dtype=pl.String) for key in keys
    ).join(own, on=keys, how="left", nulls_equal=True, maintain_order="left")
    strangers = study.prompts.filter(known["own"].is_null())
    if len(strangers):
        raise InputError(
            f"{len(strangers)} of its {counted(len(study.prompts), 'prompt')} "
            f"{agreed(len(strangers), 'is', 'are')} not in this study, the first being "
            f"{strangers['prompt'][0]!r} with system prompt {strangers['system_prompt'][0]!r}",
            where=str(path),
            remedy="Give the templates, names and arms that the responses were drawn with, or "
            "prompts.from_model.",
        )
    return study.responses.with_columns(
        pl.col("prompt_id").replace_strict(known["prompt_id"], known["own"])
    )


def describe(path: Path, *, layout: str, warnings: Sequence[str] = ()) -> dict[str, Any]:
    """Provenance of imported responses, for the table's metadata.

    Args:
        path: the file.
        layout: `format` of the config.
        warnings: what readers of the results should know of it.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    source = {"file": path.name, "format": layout, "sha256": digest}
    return {"engine": "import", "source": source, "warnings": list(warnings)}
