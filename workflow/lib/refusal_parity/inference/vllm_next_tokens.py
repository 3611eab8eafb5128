"""How probable tokens are behind a beginning, as vLLM says it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.inference.requests import StepAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vllm.lora.request import LoRARequest

    from refusal_parity.config import SamplingConfig
    from refusal_parity.inference.requests import Step

TELLING: Final[Mapping[str, Any]] = {
    # After temperature, top_p and top_k, as far as a request has them.
    "logprobs_mode": "processed_logprobs",
    # All beginnings of one prompt share its keys and values.
    "enable_prefix_caching": True,
}
"""Settings of `vllm.LLM` for an engine that says how probable tokens are."""

_BEFORE, _DRAWN = "before", "drawn"


def next_tokens(
    engine: Any, steps: Sequence[Step], sampling: SamplingConfig, adapter: LoRARequest | None
) -> Iterator[StepAnswer]:
    """Ask for the probabilities of tokens: requests for one token each, all at once.

    Args:
        engine: vLLM's, started with `TELLING`.
        steps: the questions.
        sampling: temperature, top_p and top_k.
        adapter: on the model.
    """
    import torch  # noqa: PLC0415
    from vllm import RequestOutput  # noqa: PLC0415 - all imported already

    kinds = [_BEFORE, _DRAWN] if sampling.top_p < 1 or sampling.top_k > 0 else [_BEFORE]
    of_index = {step.index: step for step in steps}
    waiting: dict[int, int] = {}
    said: dict[int, dict[str, dict[int, float]]] = {}
    for step in steps:
        said[step.index] = {kind: {} for kind in kinds}
        requests = [(kind, lump) for kind in kinds for lump in _lumps(step.next_ids)]
        waiting[step.index] = len(requests)
        for number, (kind, lump) in enumerate(requests):
            _ask(engine, f"{step.index}/{kind}/{number}", step, lump, sampling, kind, adapter)
    while engine.has_unfinished_requests():
        # Else a function that counts ranks, which nobody reads, is compiled on the CPU: it
        # takes longer than all the rest, and a compiler.
        with torch.compiler.set_stance("force_eager"):
            outputs = engine.step()
        for output in outputs:
            if not (output.finished and isinstance(output, RequestOutput)):
                continue
            index, kind = int(output.request_id.split("/")[0]), output.request_id.split("/")[1]
            told: Any = output.outputs[0].logprobs
            said[index][kind] |= {token: math.exp(one.logprob) for token, one in told[0].items()}
            waiting[index] -= 1
            if not waiting[index]:
                found = said.pop(index)
                yield StepAnswer(
                    index,
                    *(
                        [found[kind][token] for token in of_index[index].next_ids]
                        for kind in (_BEFORE, kinds[-1])
                    ),
                )


def _lumps(ids: Sequence[int]) -> Iterator[list[int]]:
    """The tokens, as many together as one request may name."""
    from vllm.sampling_params import MAX_LOGPROB_TOKEN_IDS  # noqa: PLC0415 - imported already

    for at in range(0, len(ids), MAX_LOGPROB_TOKEN_IDS):
        yield list(ids[at : at + MAX_LOGPROB_TOKEN_IDS])


def _ask(  # noqa: PLR0913, PLR0917 - a request has these parts
    engine: Any,
    name: str,
    step: Step,
    lump: list[int],
    sampling: SamplingConfig,
    kind: str,
    adapter: LoRARequest | None,
) -> None:
    from vllm import SamplingParams, TokensPrompt  # noqa: PLC0415 - both imported already
    from vllm.sampling_params import RequestOutputKind  # noqa: PLC0415

    engine.add_request(
        name,
        TokensPrompt(prompt_token_ids=list(step.token_ids)),
        SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p if kind == _DRAWN else 1.0,
            top_k=sampling.top_k if kind == _DRAWN else -1,
            max_tokens=1,
            logprob_token_ids=lump,
            detokenize=False,
            output_kind=RequestOutputKind.FINAL_ONLY,
        ),
        lora_request=adapter,
    )
