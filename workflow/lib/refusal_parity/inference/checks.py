"""What keeps a model from running, said for people, before or instead of the engine's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from refusal_parity.errors import InputError
from refusal_parity.limits import TEMPLATE_MB, TEMPLATE_S, FailedApartError, TooLongError, apart
from refusal_parity.textfiles import parsed_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LAYOUT = "Give the folder of a model in Hugging Face layout."


def read_model_config(folder: Path) -> dict[str, Any]:
    """The `config.json` of a model's folder.

    Raises:
        InputError: it is missing or broken, or there are no weights beside it.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise InputError(
            "no model there (config.json is missing)", where=str(folder), remedy=_LAYOUT
        )
    try:
        config = parsed_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot be read ({error})", where=str(path), remedy="Get the model anew."
        ) from error
    if not isinstance(config, dict):
        raise InputError("not a model's config", where=str(path), remedy=_LAYOUT)
    if not any(folder.glob("*.safetensors")):
        raise InputError(
            "no weights there (*.safetensors)",
            where=str(folder),
            remedy="Get the model anew, with safetensors weights; pickled ones are not loaded.",
        )
    return config


def adapter_rank(folder: Path) -> int:
    """Rank of the LoRA adapter in a folder.

    Raises:
        InputError: there is none, or one that the engine cannot apply.
    """
    path = folder / "adapter_config.json"
    remedy = "Give the folder of a LoRA adapter as the library peft saves it."
    if not path.is_file() or not (folder / "adapter_model.safetensors").is_file():
        raise InputError(
            "no adapter there (adapter_config.json and adapter_model.safetensors)",
            where=str(folder),
            remedy=remedy,
        )
    try:
        config = parsed_json(path.read_text(encoding="utf-8"))
        kind, rank = config["peft_type"], int(config["r"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"cannot be read ({type(error).__name__}: {error})", where=str(path), remedy=remedy
        ) from error
    if kind != "LORA":
        raise InputError(f"an adapter of type {kind}, not LORA", where=str(path), remedy=remedy)
    return rank


def read_chat_template(path: Path) -> str:
    """A chat template that the config names, read by what will render it.

    Raises:
        InputError: it is missing, empty or no template.
    """
    # Seconds to import, and the analysis never needs it.
    from transformers.utils.chat_template_utils import (  # noqa: PLC0415
        _compile_jinja_template,
    )

    def compiles(text: str) -> bool:
        """Even that computes: what is constant in a template."""
        return _compile_jinja_template(text) is not None

    try:
        text = path.read_text(encoding="utf-8")
        list(apart(compiles, [text], seconds=TEMPLATE_S, megabytes=TEMPLATE_MB))
    except (OSError, ValueError, FailedApartError) as error:
        raise InputError(
            f"cannot be used as a chat template ({error})",
            where=str(path),
            remedy="Give a file with a Jinja template as Hugging Face models have them.",
        ) from error
    except (TooLongError, MemoryError):
        raise InputError(
            f"reading it as a chat template took more than {TEMPLATE_S:g} s or {TEMPLATE_MB} MB",
            where=str(path),
            remedy="Look at what the template computes, and at where it is from.",
        ) from None
    if not text.strip():
        raise InputError("the chat template is empty", where=str(path), remedy="Fill it.")
    return text


def own_chat_template(found: Any, folder: Path) -> str | None:
    """The chat template that a model's tokenizer brings; of several, the default.

    Args:
        found: what the tokenizer holds: a template, several by name, or none.
        folder: the model's.

    Raises:
        InputError: there are several, and none is called default.
    """
    if not isinstance(found, Mapping):
        return found or None
    if "default" not in found:
        raise InputError(
            f"the model has several chat templates ({', '.join(sorted(found))}), and none is "
            "called default",
            where=str(folder),
            remedy="Write the one you mean into a file and name that in chat_template.",
        )
    return str(found["default"])


def check_head_size(config: dict[str, Any], folder: Path, supported: Sequence[int]) -> None:
    """Refuse a head size that the engine starts with and fails on at the first request.

    Raises:
        InputError: the size is none of those.
    """
    heads = config.get("num_attention_heads")
    size = config.get("head_dim") or (heads and config.get("hidden_size", 0) // heads)
    if size and supported and size not in supported:
        sizes = ", ".join(map(str, supported))
        raise InputError(
            f"attention heads of size {size}, which the engine cannot compute on the CPU",
            where=f"{folder}/config.json",
            remedy=f"Run the model on a GPU (gpus: 1), or take one with heads of size {sizes}.",
        )


def readable(error: Exception, folder: Path) -> InputError | None:
    """What an engine's failure means, if it is one that a user can mend."""
    text = str(error)
    where = f"model folder {folder}"
    too_long = re.search(
        r"max_model_len \((\d+)\) is greater\s+than the derived max_model_len \(\w+=(\d+)", text
    )
    if too_long:
        return InputError(
            f"max_model_len is {too_long[1]} and the model's own context is {too_long[2]} tokens",
            where=where,
            remedy="Lower max_model_len, or leave it out to take the model's own.",
        )
    if "max seq len" in text and "KV cache" in text:
        fits = re.search(r"estimated maximum model length is (\d+)", text)
        return InputError(
            "the memory left beside the weights is too small for one prompt of the longest length",
            where=where,
            remedy=f"Set max_model_len{f' to at most {fits[1]}' if fits else ' lower'}, or raise "
            "gpus or, on the CPU, the environment variable VLLM_CPU_KVCACHE_SPACE (in GB).",
        )
    if found := _about_weights(text, where):
        return found
    # Named, because torch is not imported for it.
    out = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    if (
        out
        or "No available memory for the cache" in text
        or re.search(
            r"out of memory|can't allocate memory|cannot allocate memory|Free memory on device"
            r"|less than requested memory",
            text,
            re.IGNORECASE,
        )
    ):
        first = text.strip().split("\n")[0][:200]
        return InputError(
            f"out of memory ({first})",
            where=where,
            remedy="Raise the model's gpus or, on the CPU, mem_mb; or lower max_model_len, or take "
            "another dtype.",
        )
    if "Engine core initialization failed" in text:
        return InputError(
            "the engine did not start",
            where=where,
            remedy="Its reason stands further up in this job's log.",
        )
    return None


def _about_weights(text: str, where: str) -> InputError | None:
    """What it means that the engine has no way to compute with these weights here."""
    quantised = re.search(
        r"(Unknown quantization method: \w+|[\w-]+ quantization is currently not supported in \w+"
        r"|Quantization method specified in the model config \([\w-]+\) does not match[^.]*"
        r"|The quantization method \S+ is not supported[^.]*"
        r"|torch\.\w+ is not supported for quantization method \S+"
        r"|Cannot find the config file for \S+)",
        text,
    )
    if quantised:
        return InputError(
            f"the quantised weights cannot be used ({quantised[1]})",
            where=where,
            remedy="Leave quantization out to take what the model's config says; if it is out, "
            "run the model where the engine has a kernel for it (gpus: 1), or set dtype.",
        )
    if re.search(r"expect \w+ to be bfloat16 or half|not implemented for 'Float'", text):
        return InputError(
            "on this processor the engine's kernel for these weights takes no float32",
            where=where,
            remedy="Set the model's dtype to bfloat16.",
        )
    no_kernel = re.search(
        r"Failed to find a kernel that can implement the .*|No \w+ MoE backend supports .*", text
    )
    if no_kernel:
        return InputError(
            f"the engine has no kernel for these quantised weights here ({no_kernel[0][:200]})",
            where=where,
            remedy="Run the model on a GPU (gpus: 1), or take its weights without quantisation.",
        )
    return None


def adapter_settings(adapter: Path) -> dict[str, Any]:
    """Settings of the engine that make room for a LoRA adapter of its rank.

    Raises:
        InputError: its rank is larger than any that the engine takes.
    """
    rank = adapter_rank(adapter)
    # The ranks that the engine's kernels know.
    room = next((size for size in (8, 16, 32, 64, 128, 256, 320, 512) if size >= rank), None)
    if room is None:
        raise InputError(
            f"an adapter of rank {rank}, and the engine takes at most 512",
            where=str(adapter),
            remedy="Merge the adapter into the weights and give the merged folder as source.",
        )
    return {"enable_lora": True, "max_loras": 1, "max_lora_rank": room}
