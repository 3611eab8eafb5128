"""The models of a study: where they come from and how they are run."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, Union

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from refusal_parity.config.engines import ENGINES, EngineModel, declare_plugins, engine
from refusal_parity.config.keys import Address, VariableName
from refusal_parity.config.request import RequestConfig
from refusal_parity.config.section import PathText, Section, Sha256
from refusal_parity.layout import is_downloaded
from refusal_parity.vocabulary import Label, spelled_out

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE_DATE: Final = dt.date(2025, 1, 1)
"""The date that chat templates write, unless the config gives another."""


class FolderSource(Section):
    """A model folder on disk."""

    path: PathText = Field(description="Folder in Hugging Face layout.")


class HubSource(Section):
    """A model on the Hugging Face hub."""

    hub: PathText = Field(description="Repository: owner/name.")
    revision: str = Field(
        pattern=r"^[0-9a-f]{40}$",
        description="Commit of the repository, 40 hex digits: a branch's name moves.",
    )


class WheelSource(Section):
    """A model in GGUF format inside a Python package."""

    package: str = Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
        description="Name of the package on the Python package index.",
    )
    version: str = Field(
        pattern=r"^[0-9]+([.][0-9]+)*((a|b|rc)[0-9]+)?([.]post[0-9]+)?([.]dev[0-9]+)?$",
        description="Its exact version.",
    )
    wheel_sha256: Sha256 | None = Field(
        default=None,
        description="Checksum of the package's wheel (.whl), checked before it is unpacked; null "
        "checks the .gguf file alone. Nothing but a wheel is taken, so that none of its code runs.",
    )
    file: str = Field(
        pattern=r"^[^/.][^/]*(/[^/.][^/]*)*[.]gguf$",
        description="Path of the .gguf file inside the package.",
    )
    sha256: Sha256 = Field(description="Checksum of the .gguf file.")


def _kind_of_source(given: Any) -> str | None:
    """Which source a mapping means, by the key that only this source has."""
    if isinstance(given, Section):
        return type(given).__name__
    kinds = {"path": "FolderSource", "hub": "HubSource", "package": "WheelSource"}
    return next(
        (kind for key, kind in kinds.items() if isinstance(given, dict) and key in given), None
    )


Source = Annotated[
    Annotated[FolderSource, Tag("FolderSource")]
    | Annotated[HubSource, Tag("HubSource")]
    | Annotated[WheelSource, Tag("WheelSource")],
    Discriminator(
        _kind_of_source,
        custom_error_type="source",
        custom_error_message="a source needs one of the keys path, hub or package",
    ),
]


Adapter = Annotated[
    Annotated[FolderSource, Tag("FolderSource")] | Annotated[HubSource, Tag("HubSource")],
    Discriminator(
        _kind_of_source,
        custom_error_type="adapter",
        custom_error_message="an adapter needs one of the keys path or hub",
    ),
]


class ThinkingTags(Section):
    """What a model puts around its thinking, letter by letter."""

    start: str = Field(min_length=1, description="What opens it.")
    end: str = Field(min_length=1, description="What closes it.")


Thinking = Literal["auto", "none"] | ThinkingTags
_THINKING = (
    "What marks the thinking before a response, which is kept apart and never labelled. auto: the "
    "marks of the models known for it; none: nothing is thinking; or a pair of tags of your own: "
    "`{start: <plan>, end: </plan>}`"
)


@engine(
    "refusal_parity.inference.vllm_engine:start",
    weights=True,
    seeded=True,
    shards=True,
    running=("mem_mb", "runtime", "gpu_model", "shards"),
)
class VllmModel(EngineModel):
    """A model that this workflow runs in vLLM."""

    engine: Literal["vllm"] = Field(description="Run the model in vLLM.")
    source: Source = Field(description="Where the weights are.")
    prompt_mode: Literal["chat", "completion"] = Field(
        description="chat renders the model's chat template; completion sends the bare sentence "
        "up to its [BLANK]."
    )
    chat_template: PathText | None = Field(
        default=None,
        description="File with a Jinja chat template to use in place of the model's own.",
    )
    date: dt.date = Field(
        default=TEMPLATE_DATE,
        description="What a chat template that writes the day's date writes (those of Llama 3.2 "
        "and Granite do): the same whenever the model runs.",
    )
    lora: Adapter | None = Field(
        default=None, description="Folder or hub repository of a LoRA adapter put on the weights."
    )
    stop: list[str] = Field(
        default=[],
        description="Strings that end a response; a base model in completion mode needs one, "
        "such as a line break.",
    )
    thinking: Thinking = Field(default="auto", description=_THINKING)
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="Number format of weights and arithmetic."
    )
    quantization: str | None = Field(
        default=None,
        description="How the weights are quantised, as vLLM names it (fp8, awq, gptq, ...); null "
        "takes what the model's config says.",
    )
    batch_invariant: bool = Field(
        default=False,
        description="On a GPU, make responses independent of how requests are batched; slower. "
        "On the CPU they are so in float32.",
    )
    gpus: int = Field(
        default=0, ge=0, description="GPUs of the job; more than one sets tensor parallelism."
    )
    gpu_model: str | None = Field(
        default=None, description="GPU type to ask the scheduler for, such as a100."
    )
    mem_mb: int = Field(default=8000, ge=1, description="Memory of the job in MB.")
    runtime: int = Field(
        default=120, ge=1, description="Minutes of the job's first attempt; grows with attempts."
    )
    shards: int = Field(
        default=1,
        ge=1,
        description="Jobs among which the prompts are split, each with its own GPUs.",
    )
    max_model_len: int | None = Field(
        default=None, ge=1, description="Longest context in tokens; null takes the model's own."
    )
    trust_remote_code: bool = Field(
        default=False, description="Run code that the model's folder brings. Leave it off."
    )

    @model_validator(mode="after")
    def _template_is_used(self) -> Self:
        if self.chat_template is not None and self.prompt_mode != "chat":
            raise ValueError("chat_template belongs to prompt_mode chat")
        return self

    def longest_answer(self, context: int | None = None) -> int:
        """That of a chat, or of a sentence that is completed."""
        longest = super().longest_answer(context or self.max_model_len)
        return longest if self.prompt_mode == "chat" else min(longest, 128)

    def files(self) -> Iterator[tuple[str, Path]]:
        """A folder on disk by one of its files, and the chat template."""
        if isinstance(self.source, FolderSource):
            yield "source.path", Path(self.source.path) / "config.json"
        if isinstance(self.lora, FolderSource):
            yield "lora.path", Path(self.lora.path) / "adapter_config.json"
        if self.chat_template is not None:
            yield "chat_template", Path(self.chat_template)


class Download(Section):
    """A file to fetch once, checked."""

    url: str = Field(pattern=r"^https?://", description="Address of the file, http or https.")
    sha256: Sha256 = Field(description="Checksum that the file must have.")


class TableColumns(Section):
    """Which column of an imported table holds what; the prompt, or template and name."""

    response: str = Field(description="Text of the response.")
    prompt: str | None = Field(default=None, description="User message, with its name filled in.")
    template: str | None = Field(default=None, description="Template: its sentence or its key.")
    name: str | None = Field(default=None, description="Name: itself or its key.")
    system_prompt: str | None = Field(
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
    label: str | None = Field(
        default=None,
        description="One of the seven labels, a word that `labels` explains, or empty.",
    )
    thinking: str | None = Field(
        default=None,
        description="What the model wrote to itself, where the file keeps it apart.",
    )
    finish_reason: str | None = Field(
        default=None,
        description="Why the response ended, in a service's words: `length` where it was cut off, "
        "`content_filter` where a filter stopped it.",
    )

    @model_validator(mode="after")
    def _has_a_prompt(self) -> Self:
        parts = [self.template is not None, self.name is not None]
        if any(parts) if self.prompt is not None else not all(parts):
            raise ValueError("name the column prompt, or the columns template and name")
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
        "`doc.question`, `resps.0.0`.",
    )
    where: dict[str, Word | list[Word]] = Field(
        default={},
        description="With format table: the rows to take, by column and what stands there: "
        "`{split: test, filter: [none, strict]}`.",
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
    thinking: Thinking = Field(default="auto", description=_THINKING)
    download: Download | None = Field(
        default=None, description="Where the file is fetched from when it is missing."
    )

    @field_validator("labels")
    @classmethod
    def _words_differ(cls, labels: dict[str, Label | None]) -> dict[str, Label | None]:
        if len(set(map(spelled_out, labels))) < len(labels):
            raise ValueError("two of the file's words are one, case and blanks aside")
        return labels

    @model_validator(mode="after")
    def _columns_fit_format(self) -> Self:
        if (self.format == "table") != (self.columns is not None):
            raise ValueError("columns belongs to format table, which needs it")
        if self.labels and (self.columns is None or self.columns.label is None):
            raise ValueError("labels explains the words of columns.label, which is not named")
        if self.format != "table" and (self.where or self.sheet is not None):
            raise ValueError("where and sheet belong to format table")
        return self

    def files(self) -> Iterator[tuple[str, Path]]:
        """The file, unless the workflow fetches it."""
        if not is_downloaded(self):
            yield "path", Path(self.path)


@engine(
    "refusal_parity.inference.asking:start",
    served=True,
    running=(
        *("api_key_env", "concurrency", "retries", "timeout_s", "patience_s"),
        *("prompt_price", "response_price", "thinking"),
    ),
)
class OpenAIModel(EngineModel):
    """A model behind a server that speaks OpenAI's protocol."""

    engine: Literal["openai"] = Field(description="Ask a server.")
    base_url: Address = Field(
        description="Address of its interface, such as http://localhost:8000/v1; without a key.",
    )
    model: str = Field(description="What the server calls the model.")
    api_key_env: VariableName | None = Field(
        default=None,
        description="Environment variable that holds the key, with KEY, TOKEN or SECRET in its "
        "name; null sends none.",
    )
    request: RequestConfig = Field(
        default=RequestConfig(),
        description="What the server calls otherwise than OpenAI's protocol does.",
    )
    thinking: Thinking = Field(default="auto", description=_THINKING)
    concurrency: int = Field(default=8, ge=1, description="Requests under way at a time.")
    retries: int = Field(
        default=5, ge=0, description="Tries after a busy or failing server, ever further apart."
    )
    timeout_s: float = Field(default=60, gt=0, description="Longest wait for one answer.")
    patience_s: float = Field(
        default=60,
        gt=0,
        description="How long a server that has answered may be unreachable before the job ends.",
    )
    prompt_price: float | None = Field(
        default=None, ge=0, description="Price of a million tokens sent."
    )
    response_price: float | None = Field(
        default=None, ge=0, description="Price of a million tokens received."
    )

    def longest_answer(self, context: int | None = None) -> int:
        """That of a chat, or of a model that thinks first."""
        thinks = "openai-reasoning" in self.request.presets
        return 4096 if thinks else super().longest_answer(context)

    def price(self, sent: int, answered: int) -> float | None:
        """By the prices of the config."""
        if self.prompt_price is None or self.response_price is None:
            return None
        return (sent * self.prompt_price + answered * self.response_price) / 1_000_000


declare_plugins()
if TYPE_CHECKING:
    ModelConfig = VllmModel | ImportModel | OpenAIModel
else:
    ModelConfig = Annotated[
        Union[tuple(each.model for each in ENGINES.values())],  # noqa: UP007 - only known now
        Field(discriminator="engine"),
    ]
