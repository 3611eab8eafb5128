"""Where the weights of a model come from."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from refusal_parity.config.section import PathText, Section, Sha256


class FolderSource(Section):
    """A model folder on disk."""

    path: PathText = Field(description="Folder in Hugging Face layout.")


class TrainedSource(FolderSource):
    """A model folder or an adapter that the study itself makes, before the model answers."""


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
    if isinstance(given, FolderSource):
        # What the study trains is a folder like others.
        return FolderSource.__name__
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
