"""The responses released with a study whose files the workflow reads by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.cells import ROW
from refusal_parity.counting import agreed
from refusal_parity.csvfiles import read_csv, refuse_spellings, row_of
from refusal_parity.errors import InputError
from refusal_parity.expansion import expand
from refusal_parity.inference.layouts import CHEHBOUNI_2024
from refusal_parity.tables import Responses
from refusal_parity.vocabulary import Label, Status, spelled_out

if TYPE_CHECKING:
    from pathlib import Path

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
            where=f"{path}, {keyed[ROW][-1]} (the last)",
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
