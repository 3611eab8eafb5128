"""Label Studio: tasks and labelling config to import, exports to read back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import polars as pl

from refusal_parity.audit.rubric import DEFINITIONS, NOT_SHOWN, ORDER
from refusal_parity.audit.votes import RawVote, moment
from refusal_parity.errors import InputError
from refusal_parity.spelling import is_blank
from refusal_parity.spreadsheets import shown
from refusal_parity.textfiles import encodable, parsed_json, read_text
from refusal_parity.vocabulary import UNDECIDED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LABEL: Final = "label"
"""Name of the control that holds the label."""

_EXPORT_ANEW: Final = "Export the project as JSON (not JSON-MIN) and name that file."


def tasks_json(sample: pl.DataFrame) -> str:
    """Tasks to import: key, prompt and response; neither model nor stratum.

    Args:
        sample: rows of the AuditSample table.
    """
    rows = sample.select("task", shown(pl.col("prompt", "response")))
    tasks = [{"data": row} for row in rows.to_dicts()]
    return json.dumps(tasks, ensure_ascii=False, indent=1) + "\n"


def labelling_config() -> str:
    """The labelling interface: a choice for each class, one for none, and a comment."""
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
    for number, (label, definition) in enumerate((*DEFINITIONS.items(), (UNDECIDED, NOT_SHOWN)), 1):
        ET.SubElement(choices, "Choice", value=str(label), hint=definition, hotkey=str(number))
    ET.SubElement(
        view, "TextArea", name="comment", toName="response", placeholder="Comment", rows="2"
    )
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def read_export(path: Path, file: str) -> Iterator[RawVote]:
    """Votes of a JSON export, one for each annotation; those that were skipped have a fault.

    An annotation marked as ground truth settles its row. A draft that nobody submitted is no
    vote and is said to be there.

    Args:
        path: the export.
        file: what to call it.

    Raises:
        InputError: the file is no such export.
    """
    try:
        tasks = parsed_json(read_text(path, remedy=_EXPORT_ANEW))
    except ValueError as error:
        raise InputError(
            f"not a readable JSON file ({error})", where=str(path), remedy=_EXPORT_ANEW
        ) from error
    if not isinstance(tasks, list):
        raise InputError("not a list of tasks", where=str(path), remedy=_EXPORT_ANEW)
    for number, task in enumerate(tasks, 1):
        data = task.get("data") if isinstance(task, dict) else None
        annotations = task.get("annotations", "") if isinstance(task, dict) else ""
        if not isinstance(data, dict) or not isinstance(annotations, list | None):
            raise InputError(
                "a task without data and annotations",
                where=f"{path}, task {number}",
                remedy=_EXPORT_ANEW,
            )
        drafts = task.get("drafts")
        said = [
            *(_said(annotation, at) for at, annotation in enumerate(annotations or [])),
            *(_drafted(draft) for draft in (drafts if isinstance(drafts, list) else [])),
        ]
        for each in filter(None, said):
            yield RawVote(
                file=file,
                row=number,
                task=_text(data.get("task")),
                response=_text(data.get("response")),
                **each,
            )


_NOTHING: Final = {"annotator": None, "label": None, "adjudicated": False}


def _drafted(draft: Any) -> dict[str, Any] | None:
    """What a draft adds to a vote, null if it holds no label."""
    result = draft.get("result") if isinstance(draft, dict) else None
    if not any(_choices(result)):
        return None
    return _NOTHING | {"fault": "a draft that was not submitted"}


def _said(annotation: Any, position: int) -> dict[str, Any]:
    """What an annotation adds to a vote."""
    if not isinstance(annotation, dict):
        return _NOTHING | {"fault": "an annotation without content"}
    if annotation.get("was_cancelled"):
        return _NOTHING | {"fault": "an annotation that was skipped"}
    key = annotation.get("id")
    annotator, account = _annotator(annotation.get("completed_by"))
    labels = list(dict.fromkeys(_choices(annotation.get("result"))))
    return {
        "annotator": annotator,
        "account": account,
        "called": _called(annotation.get("completed_by")),
        "annotation": _text(key),
        "created": moment(annotation.get("created_at"), key).seconds or None,
        "label": labels[0] if labels else None,
        "adjudicated": annotation.get("ground_truth") is True,
        "given": moment(
            annotation.get("updated_at") or annotation.get("created_at"), key, position
        ),
        "fault": f"{len(labels)} labels: {', '.join(labels)}" if len(labels) > 1 else None,
    }


def _annotator(completed_by: Any) -> tuple[str | None, str | None]:
    """Who labelled: an address or else a number, and the number where there are both.

    Exports hold a number or the user; nobody, once the account is deleted.
    """
    user = completed_by if isinstance(completed_by, dict) else {"id": completed_by}
    email, number = user.get("email"), user.get("id")
    if (isinstance(number, int) and not isinstance(number, bool)) or (
        isinstance(number, str) and number.isdecimal()
    ):
        number = f"user-{number}"
    account = _text(number) if isinstance(number, str) and not is_blank(number) else None
    if isinstance(email, str) and not is_blank(email):
        return _text(email), account
    return account, None


def _called(completed_by: Any) -> str | None:
    """First and last name of who labelled, where an export holds the user."""
    user = completed_by if isinstance(completed_by, dict) else {}
    parts = [user.get(key) for key in ("first_name", "last_name")]
    return _text(" ".join(part for part in parts if isinstance(part, str)).strip()) or None


def _choices(result: Any) -> Iterator[str]:
    """What was chosen in the control that holds the label."""
    for part in result if isinstance(result, list) else []:
        if isinstance(part, dict) and part.get("from_name") == LABEL:
            value = part.get("value")
            choices = value.get("choices") if isinstance(value, dict) else None
            for choice in choices if isinstance(choices, list) else [choices]:
                if choice is not None:
                    yield encodable(str(choice))


def _text(value: Any) -> str | None:
    return None if value is None else encodable(str(value))
