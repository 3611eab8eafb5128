"""The responses as the page carries them: columns in JSON, compressed."""

from __future__ import annotations

import base64
import gzip
import io
import json
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.report.shown_labels import BY_SERVICE, REFUSED, SHOWN, shown_labels
from refusal_parity.tables import Labels, Prompts, Responses
from refusal_parity.vocabulary import Label, LabelSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.report.inputs import ReportInputs

CARRIED: Final = 100_000_000
"""Characters of all responses together that the page carries: some 40 MB once compressed."""

NONE: Final = -1
"""In a column of places: there is nothing."""

_LABELS: Final = [label.value for label in Label]
_PIECE: Final = 10_000
"""Values of a column that are written at a time."""


def response_payload(inputs: ReportInputs) -> str | None:
    """All responses with their labels, as base64 of compressed JSON; None without any.

    Each response's text is cut to `shown_characters`. Base64
    holds no character that HTML reads as markup, whatever a model wrote.

    Returns:
        Text that unpacks to the object that `responses_of` makes.
    """
    found = responses_of(inputs)
    return None if found is None else packed(found)


def packed(found: dict[str, Any]) -> str:
    """Base64 of compressed JSON."""
    bytes_of = io.BytesIO()
    # The last per cents of size, at level 9, take twice as long.
    with gzip.GzipFile(filename="", mode="wb", fileobj=bytes_of, compresslevel=6, mtime=0) as file:
        for piece in json_pieces(found):
            file.write(piece.encode())
    return base64.b64encode(bytes_of.getbuffer()).decode()


def shown_characters(inputs: ReportInputs) -> int:
    """Characters of each response that the page shows: as many as the config wants.

    Fewer where all texts together would be more than `CARRIED`: with a million
    long responses no browser would open the page.
    """
    wanted = inputs.config.report.characters
    # A model at a time: a scan of all reads their files beside each other.
    lengths = pl.concat(
        inputs.scan(Responses, model)
        .select(pl.col("response").str.len_chars().cast(pl.Int64))
        .drop_nulls()
        .collect()
        .to_series()
        for model in inputs.models
    )

    def together(characters: int) -> int:
        return int(lengths.clip(upper_bound=characters).sum())

    return bisect_right(range(wanted + 1), CARRIED, key=together) - 1


def responses_of(inputs: ReportInputs) -> dict[str, Any] | None:
    """Responses, prompts and labels as columns; None without responses.

    Columns of `rows` have one value a response; `model`, `prompt`, `text`,
    `label`, `source`, `exclusion` and the opinions are places in the lists of
    the same study, with -1 for none. `length` holds the lengths, in
    characters, of the texts that were cut here, by their place; `cut_off` the places
    of responses that were cut off when they were drawn; `refusals_by_service` the
    service's reasons by place. An opinion beyond `labels` is that it is some refusal,
    and the next one that it is none.

    Returns:
        What JSON holds, with long lists as Series: a million responses are few bytes each.
    """
    if not inputs.has(Responses) or not inputs.has(Labels):
        return None
    most = shown_characters(inputs)
    prompts = inputs[Prompts].with_row_index("place")
    rows = pl.concat([_rows(inputs, model, prompts, most) for model in inputs.models], rechunk=True)
    distinct = rows["text"].drop_nulls().unique(maintain_order=True)
    exclusions = rows["exclusion"].drop_nulls().unique(maintain_order=True)
    by_service = (rows["label"] == BY_SERVICE).any()
    shown = [*_LABELS, *([BY_SERVICE] if by_service else [])]
    sources = [source.value for source in LabelSource]
    numbered = rows.with_row_index("row")
    cut = numbered.filter(pl.col("length") > most)
    refused = numbered.drop_nulls("refusal_reason")
    return {
        "models": inputs.models,
        "labels": [SHOWN[label] for label in shown],
        "refusals": [shown.index(label) for label in REFUSED if label in shown],
        "sources": sources,
        "exclusions": exclusions.to_list(),
        "texts": distinct,
        **_prompts(inputs, prompts),
        "rows": {
            "model": _places(rows["model"], pl.Series(inputs.models)),
            "prompt": rows["prompt"],
            "sample": rows["sample"],
            "text": _places(rows["text"], distinct),
            "label": _places(rows["label"], pl.Series(shown)),
            "source": _places(rows["label_source"], pl.Series(sources)),
            "exclusion": _places(rows["exclusion"], exclusions),
            "probability": rows["probability"],
        },
        "length": dict(cut.select("row", "length").iter_rows()),
        "cut_off": rows["truncated"].fill_null(value=False).arg_true(),
        "refusals_by_service": dict(refused.select("row", "refusal_reason").iter_rows()),
        "opinions": _opinions(rows, len(shown)),
    }


def _rows(inputs: ReportInputs, model: str, prompts: pl.DataFrame, most: int) -> pl.DataFrame:
    """A model's responses with their labels, each text cut to its first `most` characters."""
    key = ["prompt_id", "sample"]
    probabilities = [f"p_{label}" for label in _LABELS]
    source = pl.col("label_source").cast(pl.String)
    by_other = (source != LabelSource.CLASSIFIER) & pl.col(probabilities[0]).is_not_null()
    labels = (
        shown_labels(inputs, model)
        .select(
            *key, "label", "exclusion", "truncated", "keyword_refusal", label_source=source,
            # Of the classifier's own label, in per cent.
            probability=(100 * pl.max_horizontal(probabilities)).round().cast(pl.Int8),
            classifier=pl.when(by_other).then(
                pl.concat_list(probabilities).list.arg_max().cast(pl.Int8)
            ),
        )
    )  # fmt: skip
    return (
        inputs.scan(Responses, model)
        .select(
            *key, "model", "refusal_reason",
            # A slice alone would keep the whole text in memory.
            text=pl.concat_str(pl.col("response").str.slice(0, most), pl.lit("")),
            length=pl.col("response").str.len_chars(),
        )
        .join(labels, on=key, how="left", maintain_order="left")
        .join(
            prompts.lazy().select("prompt_id", prompt=pl.col("place").cast(pl.Int32)),
            on="prompt_id", how="left", maintain_order="left",
        )
        .drop("prompt_id")
        .with_columns(pl.col("probability", "prompt").fill_null(NONE))
        .collect()
    )  # fmt: skip


def json_pieces(value: Any) -> Iterator[str]:
    """JSON of objects, lists and Series, piece by piece, so that it never stands whole."""
    if isinstance(value, dict) and any(
        isinstance(each, (dict, list, pl.Series)) for each in value.values()
    ):
        for number, (key, each) in enumerate(value.items()):
            yield f"{',' if number else '{'}{_json(str(key))}:"
            yield from json_pieces(each)
        yield "}"
    elif isinstance(value, pl.Series):
        yield "["
        for first in range(0, len(value), _PIECE):
            piece = _json(value.slice(first, _PIECE).to_list())[1:-1]
            yield f",{piece}" if first else piece
        yield "]"
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        yield "["
        for number, each in enumerate(value):
            yield "," if number else ""
            yield from json_pieces(each)
        yield "]"
    else:
        yield _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _prompts(inputs: ReportInputs, prompts: pl.DataFrame) -> dict[str, Any]:
    groups = inputs.levels("group")
    templates = prompts.unique("template_id", maintain_order=True)
    arms = prompts["arm"].unique(maintain_order=True).to_list()
    return {
        "groups": groups,
        "templates": templates.select("template", "family", "template_id").rows(),
        "arms": arms,
        "prompts": {
            "template": _places(prompts["template_id"], templates["template_id"]),
            "group": _places(prompts["group"], pl.Series(groups, dtype=pl.String)),
            "arm": _places(prompts["arm"], pl.Series(arms)),
            "name": prompts["name"],
            "text": prompts["prompt"],
        },
    }


def _opinions(rows: pl.DataFrame, some_refusal: int) -> list[dict[str, Any]]:
    """Who else looked at the responses, and what each said; those who said nothing left out."""
    opinions = {
        "classifier": pl.col("classifier"),
        "keywords": pl.when(pl.col("keyword_refusal"))
        .then(pl.lit(some_refusal))
        .when(pl.col("keyword_refusal").not_())
        .then(pl.lit(some_refusal + 1)),
    }
    said = rows.select(
        values.cast(pl.Int8).fill_null(NONE).alias(name) for name, values in opinions.items()
    )
    return [
        {"name": name, "said": said[name]} for name in said.columns if (said[name] != NONE).any()
    ]


def _places(values: pl.Series, among: pl.Series) -> pl.Series:
    """Place of each value among distinct ones, -1 where it is null or not there."""
    places = pl.DataFrame({"value": among.cast(pl.String)}).with_row_index("place")
    found = pl.DataFrame({"value": values.cast(pl.String)}).join(
        places, on="value", how="left", maintain_order="left"
    )
    return found["place"].cast(pl.Int32).fill_null(NONE)
