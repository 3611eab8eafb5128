"""What one request to a server carries beside its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refusal_parity.config import RequestConfig, SamplingConfig


def request_body(
    request: RequestConfig,
    sampling: SamplingConfig,
    *,
    seed: int,
    schema: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Parameters of one request, in the server's words.

    Args:
        request: how the server's words differ, with its presets written out.
        sampling: how responses are drawn.
        seed: seed of this request.
        schema: JSON schema that the response is held to, if any.
    """
    ours: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "seed": seed,
    }
    if schema is not None:
        named = {"name": "answer", "schema": dict(schema), "strict": True}
        ours["response_format"] = {"type": "json_schema", "json_schema": named}
    renamed = {str(key): to for key, to in request.rename.items()}
    sent: dict[str, Any] = {
        renamed.get(key, key): value for key, value in ours.items() if key not in request.leave_out
    }
    return {**sent, **request.extra_body}


def token_limit(request: RequestConfig, sampling: SamplingConfig) -> int | None:
    """Most tokens that an answer may have, as it is sent; null where it is not.

    Args:
        request: how the server's words differ, with its presets written out.
        sampling: how responses are drawn.
    """
    sent = request_body(request, sampling, seed=0)
    limits = [value for key, value in sent.items() if key.startswith("max_")]
    return max((value for value in limits if isinstance(value, int)), default=None)


def config_line(parameter: str, said: str, request: RequestConfig) -> str:
    """The line of a model's config that helps where a server refuses a parameter.

    Args:
        parameter: as it was sent.
        said: what the server said.
        request: as it was sent, with its presets written out.
    """
    if parameter in request.extra_body:
        return f"take {parameter} out of request.extra_body"
    if parameter == "max_tokens" and "max_completion_tokens" in said:
        return (
            "`request: {rename: {max_tokens: max_completion_tokens}}`, or for a reasoning model "
            "`request: {presets: [openai-reasoning]}`"
        )
    if parameter.startswith("max_") and any(word in said for word in ("large", "exceed", "most")):
        return "lower sampling.max_tokens"
    ours = next((key for key, to in request.rename.items() if to == parameter), parameter)
    left_out = sorted({*request.leave_out, ours})
    return f"`request: {{leave_out: [{', '.join(left_out)}]}}`"
