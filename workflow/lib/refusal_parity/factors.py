"""Columns of the stimulus files that a study compares or takes account of."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.csvfiles import row_of
from refusal_parity.dimensions import DIMENSIONS, KEYS, Unit, declare_factor, list_up, word_arms
from refusal_parity.errors import InputError
from refusal_parity.outcomes import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

SET: Final = "set"
"""Column of templates that says which of them ask for the same."""

KIND: Final = "kind"
"""Column of prompts that says whether they are harmless or ought to be refused."""

UNSAFE: Final = "unsafe"
"""`kind` of a request that ought to be refused."""

TOKENS: Final = "tokens"
"""The covariate that no file has to give: how many tokens a name takes, by each model's count."""

OF_RESPONSES: Final = frozenset(
    {
        *("model", "sample", "response_id", "seed", "response", "thinking", "finish_reason"),
        *("prompt_tokens", "response_tokens", "cost", "status", "truncated", "refusal_reason"),
        *("error", "rendered_sha256", "answered_at", "answered_by", "fingerprint"),
        *("imported_label", "label", "label_source", "machine_label", "unsure", "unseen"),
        *("p_answer", "p_partial_answer", "p_failure", "p_refusal", "p_partial_refusal"),
        *("p_harmful_refusal", "p_harmful_answer", "distance"),
        *("classifier_id", "keyword_refusal", "filtered", "exclusion", "text_id", "words"),
        *("log_odds", "weighed_rate", "weighed_variance", "weighed_step"),
    }
)
"""Columns that responses, their labels and observations have: no factor can be one of them."""

_OF_COUNTS: Final = frozenset({"k", "n", "left_out"})
"""Columns of what is counted of observations, beside the outcomes."""


def take_up(prompts: pl.DataFrame, compared: Iterable[str]) -> None:
    """Let the factors that a study compares be dimensions, by what they are a property of.

    Args:
        prompts: table of Prompts with its factors.
        compared: keys of dimensions.

    Raises:
        InputError: one of them is no factor of the prompts, or one of numbers.
    """
    listed = is_listed(prompts)
    list_up(())
    word_arms(more=_more_than_system_prompts(prompts))
    for key in compared:
        if key not in DIMENSIONS:
            where = f"prompts, analysis.dimensions.{key}"
            refuse_no_factor(key, prompts, where=where, files=files_of(listed=listed))
            if not listed:
                declare_factor(key, _unit(prompts, key))
    if listed:
        list_up(compared)


def _more_than_system_prompts(prompts: pl.DataFrame) -> bool:
    """Whether arms differ in more: one has a guard, or another text around the same request."""
    if prompts.is_empty() or prompts["arm"].n_unique() == 1:
        return False
    told = [each for each in ("guard", "prompt") if each in prompts.columns]
    same = [pl.col(key).eq_missing(prompts[key][0]) for key in ("template_id", "name_id")]
    one = prompts.filter(*same)
    return any(one[each].n_unique() > 1 for each in told)


def is_listed(prompts: pl.DataFrame) -> bool:
    """Whether prompts are of a list: none of them has a name.

    Args:
        prompts: table of Prompts, or rows with its `name_id`.
    """
    return len(prompts) > 0 and prompts["name_id"].null_count() == len(prompts)


def as_units(prompts: pl.DataFrame) -> pl.DataFrame:
    """Prompts of a list with what the study has a sample of in the name's place.

    Args:
        prompts: table of Prompts, of a list.

    Returns:
        `name_id` is the prompt's key, `name` its text, and `template_id` is empty.
    """
    return prompts.with_columns(name_id="template_id", name="template", template_id=pl.lit(""))


def files_of(*, listed: bool) -> str:
    """What factors are columns of, in words: a list, or templates and names."""
    return "the list" if listed else "names or templates"


def refuse_no_factor(
    key: str, *frames: pl.DataFrame, where: str, files: str = files_of(listed=False)
) -> None:
    """Raise an InputError where no frame has a column of words to compare.

    Args:
        key: what is to be a dimension, and none of `KEYS`.
        frames: names, templates or prompts.
        where: for the error text.
        files: what they are read from, for the error text.
    """
    _refuse_column_of_responses(key, where)
    for frame in frames:
        if key in frame.columns:
            if frame.schema[key].is_numeric():
                raise InputError(
                    f"{key!r} is a factor of numbers, which has no levels to compare",
                    where=where,
                    remedy="Name it in analysis.covariates to adjust for it, or give the file a "
                    "column of words beside it.",
                )
            return
    known = dict.fromkeys([*DIMENSIONS, *(column for frame in frames for column in _words(frame))])
    raise InputError(
        f"{key!r} is no dimension: no column of {files} has that name",
        where=where,
        remedy=naming(key, list(known)),
    )


def refuse_no_covariate(
    key: str, *frames: pl.DataFrame, where: str, files: str = files_of(listed=False)
) -> None:
    """Raise an InputError where no frame has a column of numbers of that name.

    Of `TOKENS` none needs to. Arguments are those of `refuse_no_factor`.
    """
    _refuse_column_of_responses(key, where)
    found = next((frame[key] for frame in frames if key in frame.columns), None)
    if found is None and key == TOKENS:
        return
    if found is None:
        numbers = [
            column for frame in frames for column, kind in frame.schema.items() if kind.is_numeric()
        ]
        raise InputError(
            f"{key!r} is no covariate: no column of {files} has that name",
            where=where,
            remedy=naming(key, list(dict.fromkeys([*numbers, TOKENS]))),
        )
    if found.dtype.is_numeric():
        return
    if found.null_count() == len(found):
        raise InputError(
            f"covariate {key!r} has no number in any row",
            where=where,
            remedy=f"Fill the column {key!r} of the file, or take it out here.",
        )
    if found.cast(pl.Float64, strict=False).null_count() == found.null_count():
        raise InputError(
            f"covariate {key!r} is text, since templates put it in as [{key.upper()}]",
            where=where,
            remedy="Give the file a second column with the same numbers under another name, and "
            "name that here.",
        )
    raise InputError(
        f"covariate {key!r} is no number",
        where=where,
        remedy="Write a number, with a point and without a unit, in every row or leave the "
        "cell empty; a factor of words belongs in analysis.dimensions.",
    )


def _refuse_column_of_responses(key: str, where: str) -> None:
    if key in OF_RESPONSES | _OF_COUNTS or key in OUTCOMES:
        raise InputError(
            f"{key!r} is the name of a column that responses, or counts of them, have, so that a "
            "factor cannot have it",
            where=where,
            remedy="Rename it in the file, and here; of a list, give it another name in "
            "prompts.columns.",
        )


def refuse_words(frame: pl.DataFrame, key: str, path: Path) -> None:
    """Raise an InputError at the first row of a file whose covariate is no number.

    Args:
        frame: all rows, as text, with the column `key`.
        key: the covariate.
        path: the file.
    """
    number = pl.col(key).cast(pl.Float64, strict=False)
    words = frame.filter(
        pl.col(key).is_not_null() & number.is_finite().fill_null(value=False).not_()
    )
    if len(words):
        raise InputError(
            f"covariate {key!r} is no number: {words[key][0]!r}",
            where=row_of(path, words),
            remedy="Write a number, with a point and without a unit, or leave the cell empty; a "
            "factor of words belongs in analysis.dimensions.",
        )


def naming(key: str, known: Sequence[str]) -> str:
    """What to write instead of a name that is not known."""
    close = difflib.get_close_matches(key, known, n=1)
    listed = f"There are: {', '.join(known) or 'none'}."
    return f"Did you mean {close[0]!r}? {listed}" if close else listed


def _words(frame: pl.DataFrame) -> list[str]:
    return [
        column for column, kind in frame.schema.items() if kind == pl.String and column not in KEYS
    ]


def _unit(prompts: pl.DataFrame, key: str) -> Unit:
    if _is_constant(prompts, "name_id", key):
        return Unit.NAME
    if not _is_constant(prompts, "template_id", key):
        return Unit.PROMPT
    return unit_of_template_factor(prompts.unique("template_id"), key)


def unit_of_template_factor(templates: pl.DataFrame, key: str) -> Unit:
    """Whether matched sets meet several levels of a factor, so that it is paired by set."""
    if SET in templates.columns and not _is_constant(templates, SET, key):
        return Unit.SET
    return Unit.TEMPLATE


def uneven_sets(templates: pl.DataFrame, key: str, file: str) -> list[str]:
    """What is not the same in every matched set of templates, a sentence each.

    Args:
        templates: as from `read_templates`, with sets.
        key: factor that is compared within sets.
        file: where they stand, for the sentences.
    """
    counts = (
        templates.drop_nulls([SET, key])
        .group_by(SET, key, maintain_order=True)
        .len()
        .pivot(on=key, index=SET, values="len", maintain_order=True)
    )
    levels = [column for column in counts.columns if column != SET]
    rows = {row.pop(SET): row for row in counts.to_dicts()}
    lacking = {name: row for name, row in rows.items() if None in row.values()}
    uneven = {name: row for name, row in rows.items() if len(set(row.values()) - {None}) > 1}
    said = []
    if lacking:
        name, row = next(iter(lacking.items()))
        absent = next(level for level in levels if row[level] is None)
        said.append(
            f"{file}: {len(lacking)} of {counted(len(rows), 'set')} "
            f"{agreed(len(lacking), 'lacks', 'lack')} a {key} (set {name!r} has no {absent!r}) "
            f"and {agreed(len(lacking), 'tells', 'tell')} nothing of it"
        )
    if uneven:
        name, row = next(iter(uneven.items()))
        held = ", ".join(f"{count} of {level!r}" for level, count in row.items() if count)
        said.append(
            f"{file}: {len(uneven)} of {counted(len(rows), 'set')} "
            f"{agreed(len(uneven), 'has', 'have')} more templates of one {key} than of another "
            f"(set {name!r}: {held}), so that what else these differ in is compared too"
        )
    return said


def _is_constant(frame: pl.DataFrame, unit: str, key: str) -> bool:
    known = frame.drop_nulls([unit, key])
    return not (known.group_by(unit).agg(pl.col(key).n_unique())[key] > 1).any()


def with_text_unit(prompts: pl.DataFrame) -> pl.DataFrame:
    """Prompts with the column `text_id`: their matched set, or their template without one."""
    text = (
        pl.coalesce(pl.col(SET).cast(pl.String), "template_id")
        if SET in prompts.columns
        else pl.col("template_id")
    )
    return prompts.with_columns(text.alias("text_id"))
