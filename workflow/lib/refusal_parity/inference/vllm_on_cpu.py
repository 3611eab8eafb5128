"""What vLLM needs to run on a CPU."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.inference.checks import check_head_size

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from refusal_parity.config import VllmModel

BLOCK: Final = 32
"""Tokens whose keys and values are kept together for prompts that begin alike.

The engine keeps whole blocks alone, and its own on the CPU are longer than most prompts.
"""


def settings_of_cpu(
    model: VllmModel, folder: Path, config: dict[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    """What the engine needs on a CPU.

    Args:
        model: its part of the config.
        folder: its weights.
        config: its config.json.
        options: what else it is started with.

    Raises:
        InputError: its attention heads are of a size that the CPU cannot compute.
    """
    from vllm.v1.attention.backends.cpu_attn import (  # noqa: PLC0415 - seconds to import
        CPUAttentionBackend,
    )

    check_head_size(config, folder, CPUAttentionBackend.get_supported_head_sizes())
    dtype = "float32" if model.dtype == "auto" else model.dtype
    if dtype == "float32":
        _take_int8_kernel_of_float32()
    # float32 makes outputs independent of how requests are batched, and
    # seeded requests crash in chunked prefill on the CPU.
    return {
        "dtype": dtype,
        "enforce_eager": True,
        "enable_chunked_prefill": False,
        **({"block_size": BLOCK} if options.get("enable_prefix_caching") else {}),
    }


def _take_int8_kernel_of_float32() -> None:
    """Let 8-bit weights run in float32 on every processor.

    Where a processor has AMX, the engine's own choice is a kernel that takes only
    bfloat16 and half; oneDNN's, its choice elsewhere, takes all.
    """
    from vllm.model_executor.kernels.linear import register_linear_kernel  # noqa: PLC0415
    from vllm.model_executor.kernels.linear.scaled_mm.cpu import (  # noqa: PLC0415
        CPUInt8ScaledMMLinearKernel,
    )
    from vllm.platforms import PlatformEnum  # noqa: PLC0415 - all imported already

    class OneDnnInt8Kernel(CPUInt8ScaledMMLinearKernel):
        def process_weights_after_loading(self, layer: Any) -> None:
            self.linear_method = self._apply_weights_onednn
            self.process_weights_for_onednn(layer)

    disabled = [*filter(None, os.environ.get("VLLM_DISABLED_KERNELS", "").split(","))]
    if CPUInt8ScaledMMLinearKernel.__name__ not in disabled:
        disabled.append(CPUInt8ScaledMMLinearKernel.__name__)
        os.environ["VLLM_DISABLED_KERNELS"] = ",".join(disabled)
        register_linear_kernel(OneDnnInt8Kernel, PlatformEnum.CPU, "int8")
