"""The responses as the page carries them: columns in JSON, compressed."""

from __future__ import annotations

import base64
import gzip
import json
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.report.shown_labels import BY_SERVICE, REFUSED, SHOWN, shown_labels
from refusal_parity.tables import Prompts, Responses
from refusal_parity.vocabulary import Label, LabelSource

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

CARRIED: Final = 100_000_000
"""Characters of all responses together that the page carries: some 40 MB once compressed."""

NONE: Final = -1
"""In a column of places: there is nothing."""

_LABELS: Final = [label.value for label in Label]
_KEY: Final = ["model", "prompt_id", "sample"]


def response_payload(inputs: ReportInputs) -> str | None:
    """All responses with their labels, as base64 of compressed JSON; None without any.

    Each response's text is cut to `shown_characters`. Base64
    holds no character that HTML reads as markup, whatever a model wrote.

    Returns:
        Text that unpacks to the object that `responses_of` makes.
    """
    found = responses_of(inputs)
    if found is None:
        return None
    packed = json.dumps(found, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # The last per cents of size, at level 9, take twice as long.
    return base64.b64encode(gzip.compress(packed.encode(), compresslevel=6, mtime=0)).decode()


def shown_characters(inputs: ReportInputs) -> int:
    """Characters of each response that the page shows: as many as the config wants.

    Fewer where all texts together would be more than `CARRIED`: with a million
    long responses no browser would open the page.
    """
    wanted = inputs.config.report.characters
    if inputs[Responses].is_empty():
        return wanted
    lengths = inputs[Responses]["response"].drop_nulls().str.len_chars().cast(pl.Int64)

    def together(characters: int) -> int:
        return int(lengths.clip(upper_bound=characters).sum())

    return bisect_right(range(wanted + 1), CARRIED, key=together) - 1


def responses_of(inputs: ReportInputs) -> dict[str, Any] | None:
    """Responses, prompts and labels as JSON-ready columns; None without responses.

    Columns of `rows` have one value a response; `model`, `prompt`, `text`,
    `label`, `source`, `exclusion` and the opinions are places in the lists of
    the same study, with -1 for none. `length` holds the lengths, in
    characters, of the texts that were cut here, by their place; `cut_off` the places
    of responses that were cut off when they were drawn; `refusals_by_service` the
    service's reasons by place. An opinion beyond `labels` is that it is some refusal,
    and the next one that it is none.
    """
    labels = shown_labels(inputs)
    if inputs[Responses].is_empty() or labels is None or inputs[Responses].is_empty():
        return None
    rows = (
        inputs[Responses]
        .select(*_KEY, "response", "refusal_reason")
        .join(labels, on=_KEY, how="left")
    )
    by_service = (rows["label"] == BY_SERVICE).any()
    shown = [*_LABELS, *([BY_SERVICE] if by_service else [])]
    prompts = inputs[Prompts].with_row_index("place")
    rows = rows.join(prompts.select("prompt_id", "place"), on="prompt_id", how="left")
    lengths = rows["response"].str.len_chars()
    most = shown_characters(inputs)
    texts = rows["response"].str.slice(0, most)
    distinct = texts.drop_nulls().unique(maintain_order=True)
    exclusions = rows["exclusion"].drop_nulls().unique(maintain_order=True)
    sources = [source.value for source in LabelSource]
    cut = lengths > most
    return {
        "models": inputs.models,
        "labels": [SHOWN[label] for label in shown],
        "refusals": [shown.index(label) for label in REFUSED if label in shown],
        "sources": sources,
        "exclusions": exclusions.to_list(),
        "texts": distinct.to_list(),
        **_prompts(inputs, prompts),
        "rows": {
            "model": _places(rows["model"], inputs.models),
            "prompt": rows["place"].to_list(),
            "sample": rows["sample"].to_list(),
            "text": _places(texts, distinct.to_list()),
            "label": _places(rows["label"], shown),
            "source": _places(rows["label_source"].cast(pl.String), sources),
            "exclusion": _places(rows["exclusion"], exclusions.to_list()),
            "probability": _probability(rows),
        },
        "length": {
            place: length
            for place, (length, is_cut) in enumerate(zip(lengths, cut, strict=True))
            if is_cut
        },
        "cut_off": rows["truncated"].fill_null(value=False).arg_true().to_list(),
        "refusals_by_service": {
            place: reason
            for place, reason in enumerate(rows["refusal_reason"])
            if reason is not None
        },
        "opinions": _opinions(rows, len(shown)),
    }


def _prompts(inputs: ReportInputs, prompts: pl.DataFrame) -> dict[str, Any]:
    groups = inputs.levels("group")
    templates = prompts.unique("template_id", maintain_order=True)
    arms = prompts["arm"].unique(maintain_order=True).to_list()
    return {
        "groups": groups,
        "templates": templates.select("template", "family", "template_id").rows(),
        "arms": arms,
        "prompts": {
            "template": _places(prompts["template_id"], templates["template_id"].to_list()),
            "group": _places(prompts["group"], groups),
            "arm": _places(prompts["arm"], arms),
            "name": prompts["name"].to_list(),
            "text": prompts["prompt"].to_list(),
        },
    }


def _probability(rows: pl.DataFrame) -> list[int]:
    """Probability of the classifier's own label, in per cent; -1 for none."""
    columns = [f"p_{label}" for label in _LABELS]
    highest = rows.select((100 * pl.max_horizontal(columns)).round().fill_null(NONE).cast(pl.Int32))
    return highest.to_series().to_list()


def _opinions(rows: pl.DataFrame, some_refusal: int) -> list[dict[str, Any]]:
    """Who else looked at the responses, and what each said; those who said nothing left out."""
    columns = [f"p_{label}" for label in _LABELS]
    ranked = pl.concat_list(columns).list.arg_max()
    by_other = pl.col("label_source").cast(pl.String) != LabelSource.CLASSIFIER
    opinions = {
        "classifier": pl.when(by_other & pl.col(columns[0]).is_not_null()).then(ranked),
        "keywords": pl.when(pl.col("keyword_refusal"))
        .then(pl.lit(some_refusal))
        .when(pl.col("keyword_refusal").not_())
        .then(pl.lit(some_refusal + 1)),
    }
    said = rows.select(
        values.cast(pl.Int32).fill_null(NONE).alias(name) for name, values in opinions.items()
    )
    return [
        {"name": name, "said": said[name].to_list()}
        for name in said.columns
        if (said[name] != NONE).any()
    ]


def _places(values: pl.Series, among: list[str]) -> list[int]:
    """Place of each value in a list, -1 where it is null or not there."""
    places = {value: place for place, value in enumerate(among)}
    return [NONE if value is None else places.get(value, NONE) for value in values]
