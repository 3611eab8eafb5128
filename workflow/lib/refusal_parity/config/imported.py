"""Responses that were made elsewhere: their file, and what stands where in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from refusal_parity.config.engines import EngineModel, engine
from refusal_parity.config.section import Download, PathText, Section, lost_sheet
from refusal_parity.config.thinking import THINKING, Thinking
from refusal_parity.layout import is_downloaded
from refusal_parity.vocabulary import Label, as_label

if TYPE_CHECKING:
    from collections.abc import Iterator


def _several(names: list[str]) -> list[str]:
    if len(set(names)) < max(1, len(names)):
        raise ValueError("names no column, or one of them twice")
    return names


Columns = Annotated[
    Annotated[str, Tag("a column")]
    | Annotated[list[str], AfterValidator(_several), Tag("a list of columns")],
    Discriminator(lambda given: "a list of columns" if isinstance(given, list) else "a column"),
]
"""A column, or several of which the first that holds something counts."""


def _names(columns: str | list[str] | None) -> set[str]:
    """The columns of the file that a key names."""
    if columns is None:
        return set()
    return {columns} if isinstance(columns, str) else {*columns}


class TableColumns(Section):
    """Which column of an imported table holds what; the prompt, or template and name."""

    response: Columns = Field(
        description="Text of the response. All keys but `model` and `sample` take a list too: of "
        "its columns, the first that holds something counts, row by row."
    )
    prompt: Columns | None = Field(
        default=None,
        description="User message, with its name filled in; of a prompt list, or its prompt_id.",
    )
    template: Columns | None = Field(default=None, description="Template: its sentence or its key.")
    name: Columns | None = Field(default=None, description="Name: itself or its key.")
    system_prompt: Columns | None = Field(
        default=None, description="System prompt; needed where the study has several arms."
    )
    model: str | None = Field(
        default=None,
        description="Which model a row is of, where a file holds several: the rows of this "
        "model's key, or of `called`, are taken.",
    )
    sample: str | None = Field(
        default=None,
        description="Number of the repetition, from 0 or 1; null counts the rows of each prompt.",
    )
    label: Columns | None = Field(
        default=None,
        description="One of the seven labels, a word that `labels` explains, or empty.",
    )
    thinking: Columns | None = Field(
        default=None,
        description="What the model wrote to itself, where the file keeps it apart.",
    )
    finish_reason: Columns | None = Field(
        default=None,
        description="Why the response ended, in a service's words: `length` where it was cut off, "
        "`content_filter` where a filter stopped it.",
    )
    refusal: Columns | None = Field(
        default=None,
        description="What the model wrote to refuse, where the file keeps it apart from the "
        "response, as OpenAI's `message.refusal`.",
    )
    error: Columns | None = Field(
        default=None,
        description="What went wrong, in a service's words or code: no response came, or a filter "
        "stopped it; empty where a response came. `[error.message, response.body.error.message]`",
    )

    @model_validator(mode="after")
    def _has_a_prompt(self) -> Self:
        parts = [self.template is not None, self.name is not None]
        if any(parts) if self.prompt is not None else not all(parts):
            raise ValueError("name the column prompt, or the columns template and name")
        others = (self.prompt, self.template, self.name, self.system_prompt, self.label)
        if _names(self.response) & set[str]().union(*map(_names, others)):
            raise ValueError("response names the same column as another key does")
        return self


def _as_word(key: Any) -> Any:
    """A key of YAML as text; `yes` and `no` are truth values there."""
    if isinstance(key, bool):
        raise ValueError("write yes, no, true and false in quotes")  # noqa: TRY004 - for pydantic
    return str(key) if isinstance(key, int | float) else key


Word = Annotated[str, BeforeValidator(_as_word)]
"""A word of somebody else's, which may be a number."""


@engine(None, running=("download",))
class ImportModel(EngineModel):
    """Responses that were made elsewhere."""

    engine: Literal["import"] = Field(description="Read responses from a file.")
    path: PathText = Field(description="The file.")
    format: Literal["table", "responses", "chehbouni-2024"] = Field(
        description="Layout of the file. table: CSV, workbook (.xlsx, .ods), JSON lines or Parquet "
        "with one row for each response. responses: a responses.parquet of this workflow, of an "
        "earlier release too. chehbouni-2024: the released data of arXiv 2403.13213."
    )
    columns: TableColumns | None = Field(
        default=None,
        description="With format table: which column holds what. Within objects and lists, a path: "
        "`doc.question`, `resps.0.0`, from the end `messages.-1.content`.",
    )
    where: dict[str, Word | list[Word]] = Field(
        default={},
        description="With format table: the rows to take, by column and what stands there: "
        "`{split: test, filter: [none, strict]}`.",
    )
    rows: str | None = Field(
        default=None,
        description="Of a JSON file that holds one object: path of the list with a row for each "
        "response, such as `samples` or `results.results`.",
    )
    called: str | None = Field(
        default=None,
        description="What the column columns.model calls this model, or a responses.parquet of "
        "several; null for its key here.",
    )
    sheet: str | None = Field(
        default=None, description="Name of the workbook's sheet; null for the first."
    )
    labels: dict[Word, Label | None] = Field(
        default={},
        description="Which of the seven labels each word in the column of labels means, where the "
        "file has words of its own; null for none of them. `{1_full_compliance: answer}`",
    )
    thinking: Thinking = Field(default="auto", description=THINKING)
    download: Download | None = Field(
        default=None, description="Where the file is fetched from when it is missing."
    )

    def rows_of(self, key: str) -> str:
        """What tells the rows that are read from others: equal where they are the same.

        Args:
            key: the model's.
        """
        holds_several = self.format == "responses" or (self.columns and self.columns.model)
        called = self.called or (key if holds_several else None)
        rows = self.model_dump_json(exclude={"called", "variant_of", "openings", "download"})
        return f"{called} {rows}"

    @field_validator("where")
    @classmethod
    def _words_are_named(cls, where: dict[str, str | list[str]]) -> dict[str, str | list[str]]:
        if empty := next((column for column, words in where.items() if words == []), None):
            raise ValueError(f"{empty} names no word, so that no row would be taken")
        return where

    @field_validator("labels")
    @classmethod
    def _words_differ(cls, labels: dict[str, Label | None]) -> dict[str, Label | None]:
        if len(set(map(as_label, labels))) < len(labels):
            raise ValueError("two of the file's words are one, case and blanks aside")
        return labels

    @model_validator(mode="after")
    def _columns_fit_format(self) -> Self:
        if (self.format == "table") != (self.columns is not None):
            raise ValueError("columns belongs to format table, which needs it")
        if self.labels and (self.columns is None or self.columns.label is None):
            raise ValueError("labels explains the words of columns.label, which is not named")
        if self.format != "table" and (self.where or self.sheet or self.rows):
            raise ValueError("where, sheet and rows belong to format table")
        if lost := lost_sheet(self.sheet, self.path):
            raise ValueError(f"sheet {lost}")
        return self

    def files(self) -> Iterator[tuple[str, Path]]:
        """The file, unless the workflow fetches it."""
        if not is_downloaded(self.path, self.download):
            yield "path", Path(self.path)
