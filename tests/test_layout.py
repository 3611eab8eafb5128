from __future__ import annotations

import pytest

from refusal_parity.config import ImportModel
from refusal_parity.layout import is_downloaded

DOWNLOAD = {"url": "https://example.org/responses.csv", "sha256": "0" * 64}


@pytest.mark.parametrize(
    ("path", "download", "expected"),
    [
        ("data/external/responses.csv", DOWNLOAD, True),
        ("data/external/responses.csv", None, False),
        ("mine/responses.csv", DOWNLOAD, False),
    ],
)
def test_only_the_download_folder_is_filled(
    path: str, download: dict[str, str] | None, *, expected: bool
) -> None:
    model = ImportModel.model_validate(
        {"engine": "import", "path": path, "format": "chehbouni-2024", "download": download}
    )
    assert is_downloaded(model.path, model.download) is expected
