"""The models of a study and how they are run."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, Union
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from refusal_parity.config.engines import ENGINES, EngineModel, engine
from refusal_parity.config.imported import ImportModel  # noqa: TC001 - it declares itself
from refusal_parity.config.keys import Address, VariableName
from refusal_parity.config.request import RequestConfig
from refusal_parity.config.section import PathText
from refusal_parity.config.sources import Adapter, FolderSource, Source, TrainedSource
from refusal_parity.config.thinking import THINKING, Thinking
from refusal_parity.plugins import declare_plugins

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE_DATE: Final = dt.date(2025, 1, 1)
"""The date that chat templates write, unless the config gives another."""


@engine(
    "refusal_parity.inference.vllm_engine",
    weights=True,
    seeded=True,
    shards=True,
    weighs=True,
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
    thinking: Thinking = Field(default="auto", description=THINKING)
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
        for key, source, file in (
            ("source.path", self.source, "config.json"),
            ("lora.path", self.lora, "adapter_config.json"),
        ):
            if isinstance(source, FolderSource) and not isinstance(source, TrainedSource):
                yield key, Path(source.path) / file
        if self.chat_template is not None:
            yield "chat_template", Path(self.chat_template)


@engine(
    "refusal_parity.inference.asking",
    served=True,
    running=(
        *("api_key_env", "concurrency", "retries", "timeout_s", "patience_s"),
        *("prompt_price", "response_price", "thinking", "reuse_within", "server"),
    ),
)
class OpenAIModel(EngineModel):
    """A model behind a server that speaks OpenAI's protocol."""

    engine: Literal["openai"] = Field(description="Ask a server.")
    base_url: Address = Field(
        description="Address of its interface, such as http://localhost:8000/v1; without a key.",
    )
    model: str = Field(description="What the server calls the model.")
    service: str | None = Field(
        default=None,
        min_length=1,
        description="A name of your choice for whoever answers there. The machine's name tells no "
        "service from another: where two call a model alike under the same path, such as /v1, give "
        "one of them a name, and neither's answers are taken for the other's.",
    )
    api_key_env: VariableName | None = Field(
        default=None,
        description="Environment variable that holds the key, with KEY, TOKEN or SECRET in its "
        "name; null sends none.",
    )
    request: RequestConfig = Field(
        default=RequestConfig(),
        description="What the server calls otherwise than OpenAI's protocol does.",
    )
    server: Literal["vllm"] | None = Field(
        default=None,
        description="What answers there: vllm is vLLM's own server, started with `--logprobs-mode "
        "processed_logprobs`, which tells how probable tokens are, so that openings can be weighed "
        "(sampling.openings); null is any that speaks OpenAI's protocol.",
    )
    thinking: Thinking = Field(default="auto", description=THINKING)
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
    reuse_within: int = Field(
        default=7,
        ge=0,
        description="Days for which an answer is taken over instead of being asked for again: "
        "nobody sees whether a server's model has changed. Answers of the same day always are.",
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

    @property
    def weighs(self) -> bool:
        """Some servers tell it."""
        return self.server is not None

    @property
    def route(self) -> str:
        """The address without its machine, which may have several names."""
        return urlsplit(self.base_url).path.rstrip("/")

    def asked(self) -> dict[str, Any]:
        """What the config says that changes responses: no machine's name."""
        return super().asked() | {"base_url": self.route}


declare_plugins("engine")
if TYPE_CHECKING:
    ModelConfig = VllmModel | ImportModel | OpenAIModel
else:
    ModelConfig = Annotated[
        Union[tuple(each.model for each in ENGINES.values())],  # noqa: UP007 - only known now
        Field(discriminator="engine"),
    ]
