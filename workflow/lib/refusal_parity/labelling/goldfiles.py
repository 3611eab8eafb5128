"""Gold files: labelled responses that the classifier learns from."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.cells import ROW
from refusal_parity.csvfiles import read_csv, row_of
from refusal_parity.errors import InputError
from refusal_parity.inference.layouts import is_chehbouni_2024
from refusal_parity.labelling.starter import STARTER, is_starter
from refusal_parity.placeholders import filled_template
from refusal_parity.vocabulary import REFUSALS, Label, spelled_out

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_REQUIRED = ("response", "label")
_OPTIONAL = ("name", "prompt", "group_id", "weight")
MOST = 100
"""Largest weight of a row: more is a slip."""
_ALL = ", ".join(label.value for label in Label)


def read_gold_files(paths: Sequence[Path]) -> pl.DataFrame:
    """Read gold files, one after the other, refusing what nothing can be learnt from.

    A file is either a CSV or in the layout `chehbouni-2024`, known by its
    columns; there each template is one group.

    Columns of a CSV that are needed: `response` and `label` (one of the seven; case, blanks,
    hyphens and underscores make no difference). Optional: `name`, `prompt` and
    `group_id`, which says what must stay in one fold and holds across files; a
    row without it is a group of its own; `weight`, how much the row counts where refusal or not
    is learnt, 1 where there is none. All other columns are ignored.

    Files other than the starter labels must hold enough by themselves: a file
    of one class is a slip, and the starter labels would hide it. Where none of
    them has a partial refusal, whoever labelled them knew six classes: what the
    starter labels call so is somewhere among those, and is not learnt.

    Args:
        paths: the files, UTF-8 with a header row.

    Returns:
        Frame with the columns of the Gold table.

    Raises:
        InputError: naming file and row of what cannot be used, or saying which
            labels are lacking altogether.
    """
    if not paths:
        raise InputError(
            "no gold file",
            where="labelling.gold",
            remedy="Name at least one, or leave labelling.starter on.",
        )
    frames = {path: _read(path) for path in paths}
    own = [path for path in paths if not is_starter(path)]
    named = pl.concat(frames[path] for path in own or paths)
    _refuse_too_little(named, ", ".join(map(str, own or paths)))
    rows = pl.concat(frames.values())
    if own and not (named["label"] == Label.PARTIAL_REFUSAL).any():
        return rows.filter(pl.col("label") != Label.PARTIAL_REFUSAL)
    return rows


def _read(path: Path) -> pl.DataFrame:
    if is_chehbouni_2024(path):
        return _read_released(path).with_columns(weight=pl.lit(1.0))
    return _read_csv(path)


def _read_released(path: Path) -> pl.DataFrame:
    # Slow to import, and a plan of a study with other gold files does without.
    from refusal_parity.inference.released_study import read_chehbouni_2024  # noqa: PLC0415

    study = read_chehbouni_2024(path, model=path.stem)
    rows = study.responses.join(study.prompts, on="prompt_id", how="left", maintain_order="left")
    return rows.filter(pl.col("response") != "").select(
        "response",
        pl.col("imported_label").cast(pl.String).alias("label"),
        "name",
        filled_template().alias("prompt"),
        pl.col("template").alias("group_id"),
    )


def _read_csv(path: Path) -> pl.DataFrame:
    frame = read_csv(path, required=_REQUIRED, optional=_OPTIONAL, filled=_REQUIRED)
    frame = frame.with_columns(
        known=pl.col("label").map_elements(spelled_out, return_dtype=pl.String)
    )
    unknown = frame.filter(~pl.col("known").is_in([label.value for label in Label]))
    if len(unknown):
        given, meant = unknown["label"][0], unknown["known"][0]
        close = difflib.get_close_matches(meant, [label.value for label in Label], n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise InputError(
            f"label {given!r} is none of the seven",
            where=row_of(path, unknown),
            remedy=f"{hint}The labels are {_ALL}.",
        )
    weight = pl.col("weight").cast(pl.Float64, strict=False)
    usable = weight.is_between(0, MOST, closed="right").fill_null(value=False)
    unusable = frame.filter(pl.col("weight").is_not_null(), ~usable)
    if len(unusable):
        raise InputError(
            f"weight {unusable['weight'][0]!r} is no number above 0, up to {MOST}",
            where=row_of(path, unusable),
            remedy="Write how much the row counts, or leave it blank for 1.",
        )
    return frame.select(
        "response",
        pl.col("known").alias("label"),
        "name",
        "prompt",
        pl.col("group_id").fill_null(
            pl.format("{}:{}", pl.lit(path.name), pl.col(ROW).str.extract(r"(\d+)"))
        ),
        weight.fill_null(1.0),
    )


def _refuse_too_little(rows: pl.DataFrame, where: str) -> None:
    labels = set(rows["label"].to_list())
    if len(rows) == 1:
        what = "one labelled response is too little to learn from"
    elif len(labels) == 1:
        what = f"all {len(rows)} responses are labelled {labels.pop()}"
    elif not labels & set(REFUSALS):
        what = f"no refusal among {len(rows)} responses"
    elif str(Label.ANSWER) not in labels:
        what = f"no answer among {len(rows)} responses"
    else:
        return
    raise InputError(
        what,
        where=where,
        remedy=f"Label more responses, answers as well as refusals, or add {STARTER} to "
        "labelling.gold.",
    )
