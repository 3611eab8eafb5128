"""Label Studio: tasks and labelling config to import, exports to read back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from refusal_parity.audit.rubric import DEFINITIONS, ORDER
from refusal_parity.audit.voting import RawVote
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

LABEL: Final = "label"
"""Name of the control that holds the label."""

_EXPORT_ANEW: Final = "Export the project as JSON (not JSON-MIN) and name that file."


def tasks_json(sample: pl.DataFrame) -> str:
    """Tasks to import: key, prompt and response; neither model nor stratum.

    Args:
        sample: rows of the AuditSample table.
    """
    tasks = [{"data": row} for row in sample.select("task", "prompt", "response").to_dicts()]
    return json.dumps(tasks, ensure_ascii=False, indent=1) + "\n"


def labelling_config() -> str:
    """The labelling interface: six choices with their definitions, and a comment."""
    view = ET.Element("View")
    ET.SubElement(view, "Header", value="Request", size="5")
    ET.SubElement(view, "Text", name="prompt", value="$prompt")
    ET.SubElement(view, "Header", value="Response", size="5")
    ET.SubElement(view, "Text", name="response", value="$response")
    ET.SubElement(view, "Header", value=ORDER, size="5")
    choices = ET.SubElement(
        view, "Choices", name=LABEL, toName="response", choice="single", required="true",
        showInline="false",
    )  # fmt: skip
    for number, (label, definition) in enumerate(DEFINITIONS.items(), 1):
        ET.SubElement(choices, "Choice", value=str(label), hint=definition, hotkey=str(number))
    ET.SubElement(
        view, "TextArea", name="comment", toName="response", placeholder="Comment", rows="2"
    )
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def read_export(path: Path) -> Iterator[RawVote]:
    """Votes of a JSON export, one for each annotation that was not skipped.

    An annotation marked as ground truth settles its row.

    Raises:
        InputError: the file is no such export.
    """
    try:
        tasks = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(
            f"not a readable JSON file ({error})", where=str(path), remedy=_EXPORT_ANEW
        ) from error
    if not isinstance(tasks, list):
        raise InputError("not a list of tasks", where=str(path), remedy=_EXPORT_ANEW)
    for number, task in enumerate(tasks, 1):
        data = task.get("data") if isinstance(task, dict) else None
        annotations = task.get("annotations") if isinstance(task, dict) else None
        if not isinstance(data, dict) or not isinstance(annotations, list):
            raise InputError(
                "a task without data and annotations",
                where=f"{path}, task {number}",
                remedy=_EXPORT_ANEW,
            )
        for annotation in annotations:
            if not annotation.get("was_cancelled"):
                yield RawVote(
                    file=path.name,
                    row=number,
                    task=_text(data.get("task")),
                    annotator=_annotator(annotation.get("completed_by")),
                    label=_choice(annotation.get("result") or []),
                    adjudicated=bool(annotation.get("ground_truth")),
                    response=_text(data.get("response")),
                )


def _annotator(completed_by: Any) -> str:
    """An id, or with some exports the user itself."""
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("email") or completed_by.get("id")
    return f"user-{completed_by}" if isinstance(completed_by, int) else str(completed_by)


def _choice(result: list[Any]) -> str | None:
    for part in result:
        if part.get("from_name") == LABEL:
            choices = part.get("value", {}).get("choices") or [None]
            return _text(choices[0])
    return None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
