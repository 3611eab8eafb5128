"""vLLM, on GPUs and on the CPU; the one file that knows it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from refusal_parity.errors import InputError
from refusal_parity.inference.checks import check_head_size, read_model_config, readable
from refusal_parity.inference.requests import Completion, Engine, Request, Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from refusal_parity.config import SamplingConfig, VllmModel


def start_engine(
    model: VllmModel,
    folder: Path,
    sampling: SamplingConfig,
    *,
    threads: int,
    schema: Mapping[str, Any] | None = None,
) -> Engine:
    """Load a model; takes seconds on the CPU and minutes for a large model.

    Args:
        model: its part of the config.
        folder: its weights, tokenizer and config in Hugging Face layout.
        sampling: how responses are drawn.
        threads: CPU threads of the arithmetic. More than one on busy cores is
            slower than one.
        schema: JSON schema that every response is held to, if any.

    Raises:
        InputError: the folder is no model, or one that cannot run here.
    """
    config = read_model_config(folder)
    _prepare_environment(threads)
    with _readable_errors(folder):
        return _VllmEngine(model, folder, sampling, config, schema)


def _prepare_environment(threads: int) -> None:
    """Settings that the engine reads when it is imported."""
    settings = {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        # Read by the CPU engine alone: one process, so that a killed job leaves
        # none behind; memory for 1 GB of keys and values instead of 10; threads
        # not bound to cores, because two jobs would share the same one.
        "OMP_NUM_THREADS": str(threads),
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    }
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
        self,
        model: VllmModel,
        folder: Path,
        sampling: SamplingConfig,
        config: dict[str, Any],
        schema: Mapping[str, Any] | None,
    ) -> None:
        import torch  # noqa: PLC0415 - seconds to import, and analysis never needs it

        self._on_gpu = torch.cuda.is_available()
        if not self._on_gpu:
            os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        if model.gpus and not self._on_gpu:
            raise InputError(
                f"the config asks for {model.gpus} GPUs and this machine shows none",
                where=f"model folder {folder}",
                remedy="Set gpus: 0 to run on the CPU, or run where GPUs are.",
            )
        import vllm  # noqa: PLC0415 - the same

        self._vllm = vllm
        settings: dict[str, Any] = {
            "model": str(folder),
            "dtype": model.dtype,
            "max_model_len": model.max_model_len,
            "tensor_parallel_size": max(1, model.gpus),
            "trust_remote_code": model.trust_remote_code,
            "seed": 0,
        }
        if not self._on_gpu:
            from vllm.v1.attention.backends.cpu_attn import (  # noqa: PLC0415 - the same
                CPUAttentionBackend,
            )

            check_head_size(config, folder, CPUAttentionBackend.get_supported_head_sizes())
            # float32 makes outputs independent of how requests are batched, and
            # seeded requests crash in chunked prefill on the CPU.
            settings |= {
                "dtype": "float32" if model.dtype == "auto" else model.dtype,
                "enforce_eager": True,
                "enable_chunked_prefill": False,
            }
        self._llm = vllm.LLM(**settings)
        self._sampling = sampling
        self._stop = model.stop
        self._schema = schema
        self._folder = folder

    @property
    def tokenizer(self) -> Tokenizer:
        return cast("Tokenizer", self._llm.get_tokenizer())

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
        }

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        from vllm.sampling_params import RequestOutputKind  # noqa: PLC0415 - imported already

        # The engine's own queue rather than LLM.generate, which gives nothing
        # back before the last request has finished.
        engine = self._llm.llm_engine
        for request in requests:
            engine.add_request(
                str(request.index),
                self._vllm.TokensPrompt(prompt_token_ids=list(request.token_ids)),
                self._vllm.SamplingParams(
                    temperature=self._sampling.temperature,
                    top_p=self._sampling.top_p,
                    top_k=self._sampling.top_k,
                    max_tokens=self._sampling.max_tokens,
                    stop=self._stop,
                    seed=request.seed,
                    structured_outputs=self._structure(),
                    output_kind=RequestOutputKind.FINAL_ONLY,
                ),
            )
        while engine.has_unfinished_requests():
            with _readable_errors(self._folder):
                outputs = engine.step()
            for output in outputs:
                if output.finished and isinstance(output, self._vllm.RequestOutput):
                    drawn = output.outputs[0]
                    yield Completion(
                        index=int(output.request_id),
                        text=drawn.text,
                        finish_reason=drawn.finish_reason,
                        response_tokens=len(drawn.token_ids),
                    )

    def _structure(self) -> Any:
        from vllm.sampling_params import StructuredOutputsParams  # noqa: PLC0415 - imported already

        if self._schema is None:
            return None
        # Small models write blanks without end where the schema allows them.
        return StructuredOutputsParams(json=dict(self._schema), disable_any_whitespace=True)
