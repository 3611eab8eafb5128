"""Responses that were made elsewhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.cells import ROW
from refusal_parity.counting import agreed, counted
from refusal_parity.csvfiles import read_csv, refuse_spellings, row_of
from refusal_parity.errors import InputError
from refusal_parity.expansion import expand
from refusal_parity.inference.finish_reasons import unknown_reasons
from refusal_parity.inference.import_own import read_own_responses
from refusal_parity.inference.import_rows import copies, unanswered, without_text
from refusal_parity.inference.import_table import read_response_table
from refusal_parity.inference.layouts import CHEHBOUNI_2024
from refusal_parity.inference.thinking import Parted, part
from refusal_parity.inference.warned import WARNING
from refusal_parity.spelling import as_known
from refusal_parity.tables import Responses
from refusal_parity.vocabulary import Label, Status, spelled_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from refusal_parity.config import ImportModel, Thinking

_SAMPLES: Final = 3
_SYSTEM_PROMPT: Final = r"(?s)<<SYS>>\s*(.*?)\s*<</SYS>>"
_GET_ANEW: Final = "Get the file anew and compare its checksum."


@dataclass(frozen=True)
class ImportedStudy:
    """What a file of responses holds.

    Attributes:
        prompts: table of `tables.Prompts`.
        responses: table of `tables.Responses`, in the order of prompts and samples.
    """

    prompts: pl.DataFrame
    responses: pl.DataFrame


def read_chehbouni_2024(path: Path, *, model: str) -> ImportedStudy:
    """Read the human-labelled responses released with arXiv 2403.13213.

    The file has one row for each prompt and sample: `g1` to `g3` are the three
    responses, `label` is the label of the one that `variable` names ("label
    2" is that of `g2`). Every response begins with an echo of the filled
    template, which is removed by its length.

    Args:
        path: `df_annotated_*.csv`.
        model: key under which the responses are filed.

    Raises:
        InputError: the file is truncated, or a label is unknown.
    """
    frame = read_csv(
        path, required=CHEHBOUNI_2024, filled=["og_prompt", "name", "identity", "label"]
    )
    frame = frame.with_columns(
        sample=pl.col("variable").str.extract(r"^label (\d)$", 1).cast(pl.Int32) - 1,
        known_label=pl.col("label").map_elements(spelled_out, return_dtype=pl.String),
    )
    _refuse(
        frame.filter(~pl.col("known_label").is_in([str(label) for label in Label])),
        path,
        what="label {label!r} is none of the seven",
        remedy="Correct the label.",
    )
    _refuse(
        frame.filter(pl.col("sample").is_null() | ~pl.col("sample").is_between(0, _SAMPLES - 1)),
        path,
        what="variable {variable!r} does not say which response is labelled",
        remedy="It must be `label 1`, `label 2` or `label 3`.",
    )
    for column in ("ethnicity", "name", "identity", "common"):
        refuse_spellings(frame, column, path)
    prompts = _prompts(frame, path)
    keyed = frame.join(
        prompts.select("template", "name", "prompt_id"),
        left_on=["og_prompt", "name"],
        right_on=["template", "name"],
        how="left",
        maintain_order="left",
    ).with_columns(
        text=pl.coalesce(pl.when(pl.col("sample") == k).then(f"g{k + 1}") for k in range(_SAMPLES))
    )
    _refuse_gaps(keyed, prompts, path)
    echo = pl.col("prompt_sentence").str.len_chars()
    responses = (
        keyed.with_columns(
            model=pl.lit(model),
            response=pl.col("text").str.slice(echo).str.strip_chars().fill_null(""),
            imported_label=pl.col("known_label"),
        )
        .with_columns(
            status=pl.when(pl.col("response") == "")
            .then(pl.lit(str(Status.EMPTY)))
            .otherwise(pl.lit(str(Status.OK))),
            truncated=pl.lit(value=False),
            **{
                column: pl.lit(None, dtype=Responses.columns()[column].dtype)
                for column in (
                    "response_id", "answered_at", "answered_by", "fingerprint",
                    "seed", "thinking", "finish_reason", "refusal_reason", "prompt_tokens",
                    "response_tokens", "cost", "error", "rendered_sha256",
                )
            },
        )
        .select(Responses.column_names())
    )  # fmt: skip
    order = prompts.select("prompt_id").with_row_index("_order")
    responses = responses.join(order, on="prompt_id").sort("_order", "sample").drop("_order")
    return ImportedStudy(prompts=prompts, responses=responses)


def _prompts(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The file's prompts, in its own order of templates and names."""
    systems = frame.with_columns(
        system_prompt=pl.col("new_prompt").str.extract(_SYSTEM_PROMPT, 1)
    ).filter(pl.col("system_prompt").is_first_distinct())
    _refuse(
        systems[1:],
        path,
        what="a second system prompt, {system_prompt!r}",
        remedy="Give one file for each system prompt, as models of their own.",
    )
    templates = (
        frame.select(family="ethnicity", template="og_prompt")
        .unique("template", keep="first", maintain_order=True)
        .with_columns(
            template_id=pl.format("{}-{}", "family", pl.col("template").cum_count().over("family"))
        )
    )
    gender = pl.col("type_name").str.extract("_(men|women)_", 1)
    names = (
        frame.select(
            name_id=pl.format("{}-{}", "identity", "name"),
            name="name",
            group="identity",
            gender=gender.replace({"men": "man", "women": "woman"}),
            commonness=pl.col("common").replace({"least": "less common"}),
        )
        .unique("name", keep="first", maintain_order=True)
    )  # fmt: skip
    return expand(templates, names, {"study": systems["system_prompt"][0]})


def _refuse(rows: pl.DataFrame, path: Path, *, what: str, remedy: str) -> None:
    if len(rows):
        cells = {column: str(cell) for column, cell in rows.row(0, named=True).items()}
        raise InputError(what.format(**cells), where=row_of(path, rows), remedy=remedy)


def _refuse_gaps(keyed: pl.DataFrame, prompts: pl.DataFrame, path: Path) -> None:
    """Every prompt must have every sample once: a truncated file has gaps."""
    repeated = keyed.filter(~pl.struct("prompt_id", "sample").is_first_distinct())
    _refuse(
        repeated, path, what="{variable} of {prompt_sentence!r} stands here again", remedy=_GET_ANEW
    )
    samples = pl.DataFrame({"sample": range(_SAMPLES)}, schema={"sample": pl.Int32})
    wanted = prompts.join(samples, how="cross")
    gaps = wanted.join(keyed, on=["prompt_id", "sample"], how="anti", maintain_order="left")
    if len(gaps):
        first = gaps.row(0, named=True)
        raise InputError(
            f"{len(gaps)} of {len(wanted)} labelled responses {agreed(len(gaps), 'is', 'are')} "
            f"missing, the first being `label {first['sample'] + 1}` of {first['prompt']!r}",
            where=f"{path}, row {keyed[ROW][-1]} (the last)",
            remedy=_GET_ANEW,
        )


def read_responses(path: Path, *, layout: str, model: str) -> ImportedStudy:
    """Read a file of responses in one of the layouts that the config knows.

    Args:
        path: the file.
        layout: `format` of the config.
        model: key under which the responses are filed.

    Raises:
        InputError: the file is not in this layout.
    """
    readers = {"chehbouni-2024": read_chehbouni_2024}
    return readers[layout](path, model=model)


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
    remarks = copies(responses), without_text(responses), unanswered(responses, prompts, path)
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
