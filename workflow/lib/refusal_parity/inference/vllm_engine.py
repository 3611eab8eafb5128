"""vLLM, on GPUs and on the CPU; it and the `vllm_*` beside it alone know vLLM."""

from __future__ import annotations

import atexit
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refusal_parity.errors import InputError
from refusal_parity.inference.checks import (
    adapter_settings,
    own_chat_template,
    read_chat_template,
    read_model_config,
    readable,
)
from refusal_parity.inference.own_weights import OwnWeights, rendered_prompts, settings
from refusal_parity.inference.rendering import WithTemplate
from refusal_parity.inference.requests import Completion, DatedTokenizer, Engine, Request
from refusal_parity.inference.speaking import OwnSpeaker
from refusal_parity.inference.thinking_marks import markup_tokens
from refusal_parity.inference.vllm_next_tokens import TELLING, next_tokens
from refusal_parity.inference.vllm_on_cpu import settings_of_cpu

__all__ = [
    "prepare_environment",
    "rendered_prompts",
    "settings",
    "speaker",
    "start",
    "start_engine",
    "start_weighing",
]

speaker = OwnSpeaker.of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from vllm.lora.request import LoRARequest
    from vllm.sampling_params import StructuredOutputsParams

    from refusal_parity.config import VllmModel
    from refusal_parity.inference.job import InferenceJob
    from refusal_parity.inference.requests import Step, StepAnswer, WeighingEngine


def start(job: InferenceJob[VllmModel], say: Callable[[str], None]) -> OwnWeights:
    """Stand ready to start the engine of a job.

    Raises:
        InputError: the folder holds no model.
    """
    read_model_config(job.folder)

    def started() -> Engine:
        say("starting the engine")
        return start_engine(job)

    return OwnWeights(started, job, say)


def start_engine(
    job: InferenceJob[VllmModel], *, options: Mapping[str, Any] | None = None
) -> Engine:
    """Load a job's model; takes seconds on the CPU and minutes for a large model.

    Args:
        job: the model, its folders and threads, and how responses are drawn.
        options: settings of `vllm.LLM` beyond the config's, for measurements.

    Raises:
        InputError: a folder is no model or adapter, or one that cannot run here.
    """
    return _loaded(job, options or {})


def start_weighing(job: InferenceJob[VllmModel]) -> WeighingEngine:
    """Load a job's model to say how probable tokens are; arguments and errors as above."""
    return _loaded(job, TELLING)


def _loaded(job: InferenceJob[VllmModel], options: Mapping[str, Any]) -> _VllmEngine:
    config = read_model_config(job.folder)
    prepare_environment(job.threads, batch_invariant=job.model.batch_invariant)
    with _readable_errors(job.folder):
        return _VllmEngine(job, config, options)


def prepare_environment(threads: int, *, batch_invariant: bool) -> None:
    """Settings that the engine reads when it is imported, and a folder for what it leaves."""
    # Sockets and meeting points of its processes, of which it removes none.
    folder = tempfile.TemporaryDirectory(prefix="vllm-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    os.environ["TMPDIR"] = tempfile.tempdir = folder.name
    # Not to be overruled: weights come from the folder alone.
    os.environ |= {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
    }
    settings = {
        # Read by the CPU engine alone: one process, so that a killed job leaves
        # none behind; memory for 1 GB of keys and values instead of 10; threads
        # not bound to cores, because two jobs would share the same one.
        "OMP_NUM_THREADS": str(threads),
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    }
    if batch_invariant:
        settings["VLLM_BATCH_INVARIANT"] = "1"
    for key, setting in settings.items():
        os.environ.setdefault(key, setting)


@contextmanager
def _readable_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        found = readable(error, folder)
        if found is None:
            raise
        raise found from error


class _VllmEngine:
    def __init__(
        self, job: InferenceJob[VllmModel], config: dict[str, Any], options: Mapping[str, Any]
    ) -> None:
        import torch  # noqa: PLC0415 - seconds to import, and analysis never needs it

        model, folder = job.model, job.folder
        self._on_gpu = torch.cuda.is_available()
        if not self._on_gpu:
            os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
            # It has no kernels for the CPU, where float32 needs none.
            os.environ.pop("VLLM_BATCH_INVARIANT", None)
        if model.gpus and not self._on_gpu:
            raise InputError(
                f"the config asks for {model.gpus} GPUs and this machine shows none",
                where=f"model folder {folder}",
                remedy="Set gpus: 0 to run on the CPU, or run where GPUs are.",
            )
        template = read_chat_template(Path(model.chat_template)) if model.chat_template else None
        import vllm  # noqa: PLC0415 - the same

        self._vllm = vllm
        settings: dict[str, Any] = {
            "model": str(folder),
            "dtype": model.dtype,
            "quantization": model.quantization,
            "max_model_len": model.max_model_len,
            "tensor_parallel_size": max(1, model.gpus),
            "trust_remote_code": model.trust_remote_code,
            # Mistral's own would render without the chat template.
            "tokenizer_mode": "hf",
            "seed": 0,
        }
        if job.adapter is not None:
            settings |= adapter_settings(job.adapter)
        if not self._on_gpu:
            settings |= settings_of_cpu(model, folder, config, options)
        self._llm = vllm.LLM(**{**settings, **options})
        # `Any`, because vLLM's own protocol knows no template and no added tokens.
        tokenizer: Any = self._llm.get_tokenizer()
        if template is None:
            template = own_chat_template(getattr(tokenizer, "chat_template", None), folder)
        self._tokenizer = WithTemplate(tokenizer, template, model.date)
        self._adapter = self._loaded(job.adapter)
        self._sampling = job.sampling.suited_to(model, self.context_length)
        self._longest = job.sampling.most_tokens(model, self.context_length)
        self._stop = model.stop
        special = [
            token.content for token in tokenizer.added_tokens_decoder.values() if token.special
        ]
        # Where thinking is marked by special tokens, they must be in the text.
        self._markup = markup_tokens(special, model.thinking)
        self._special = [token for token in special if token not in self._markup]
        self._schema = job.schema
        self._folder = folder

    def _loaded(self, adapter: Path | None) -> LoRARequest | None:
        """The adapter on the engine, loaded now: one that does not fit fails here."""
        if adapter is None:
            return None
        from vllm.lora.request import LoRARequest  # noqa: PLC0415 - imported already

        request = LoRARequest("adapter", 1, str(adapter))
        try:
            self._llm.llm_engine.add_lora(request)
        except (ValueError, RuntimeError, KeyError, AssertionError) as error:
            raise InputError(
                f"the adapter does not fit the model ({str(error).splitlines()[0][:200]})",
                where=str(adapter),
                remedy="Give an adapter that was trained on this very model.",
            ) from error
        return request

    @property
    def tokenizer(self) -> DatedTokenizer:
        return self._tokenizer

    @property
    def context_length(self) -> int:
        return int(self._llm.model_config.max_model_len)

    def provenance(self) -> dict[str, Any]:
        import torch  # noqa: PLC0415 - imported already

        return {
            "engine": "vllm",
            "engine_version": str(self._vllm.__version__),
            "device": torch.cuda.get_device_name() if self._on_gpu else "cpu",
            "dtype": str(self._llm.model_config.dtype).removeprefix("torch."),
            "quantization": self._llm.model_config.quantization,
            "batch_invariant": os.environ.get("VLLM_BATCH_INVARIANT") == "1",
        }

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        # At hand for the loops: vLLM looks its own names up anew each time.
        from vllm import RequestOutput, SamplingParams, TokensPrompt  # noqa: PLC0415
        from vllm.sampling_params import RequestOutputKind  # noqa: PLC0415

        # The engine's own queue rather than LLM.generate, which gives nothing
        # back before the last request has finished.
        engine = self._llm.llm_engine
        begun = {request.index: request.begun for request in requests}
        for request in requests:
            engine.add_request(
                str(request.index),
                TokensPrompt(prompt_token_ids=list(request.token_ids)),
                SamplingParams(
                    temperature=self._sampling.temperature,
                    top_p=self._sampling.top_p,
                    top_k=self._sampling.top_k,
                    max_tokens=self._longest - request.given,
                    stop=self._stop,
                    seed=request.seed,
                    skip_special_tokens=not self._markup,
                    structured_outputs=self._structure(),
                    output_kind=RequestOutputKind.FINAL_ONLY,
                ),
                lora_request=self._adapter,
            )
        while engine.has_unfinished_requests():
            with _readable_errors(self._folder):
                outputs = engine.step()
            for output in outputs:
                if output.finished and isinstance(output, RequestOutput):
                    drawn = output.outputs[0]
                    index = int(output.request_id)
                    yield Completion(
                        index=index,
                        text=self._written(begun[index], drawn.text),
                        finish_reason=drawn.finish_reason,
                        response_tokens=len(drawn.token_ids),
                    )

    def next_tokens(self, steps: Sequence[Step]) -> Iterator[StepAnswer]:
        """Say how probable tokens are; only for an engine of `start_weighing`."""
        with _readable_errors(self._folder):
            yield from next_tokens(self._llm.llm_engine, steps, self._sampling, self._adapter)

    def _written(self, begun: str, text: str) -> str:
        """What the model wrote, with the tag in the prompt that it belongs to."""
        if self._markup:
            for token in self._special:
                text = text.replace(token, "")
        # Held to a schema, it cannot think.
        return text if self._schema is not None else begun + text

    def _structure(self) -> StructuredOutputsParams | None:
        if self._schema is None:
            return None
        from vllm.sampling_params import StructuredOutputsParams  # noqa: PLC0415 - imported already

        # Small models write blanks without end where the schema allows them.
        return StructuredOutputsParams(json=dict(self._schema), disable_any_whitespace=True)
