"""What names and templates can hardly have been meant to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.counting import counted
from refusal_parity.misread import written_for
from refusal_parity.placeholders import columns_of, left_in_brackets, of_other_tools
from refusal_parity.prompts import OWN_COLUMNS
from refusal_parity.spelling import reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from refusal_parity.prompts import Stimuli


def unused_factors(stimuli: Stimuli, used: Iterable[str], columns: Iterable[str]) -> list[str]:
    """Those of some columns that are no part of any prompt and that nothing else uses.

    Args:
        stimuli: as from `read_stimuli`.
        used: columns that the study compares or takes account of.
        columns: of either file.
    """
    sent = {
        column
        for template in stimuli.templates["template"]
        for column in columns_of(template, stimuli.names.columns)
    }
    return [column for column in columns if column not in {*OWN_COLUMNS, *used, *sent}]


def direction_twins(names: pl.DataFrame) -> list[str]:
    """A sentence for each name that differs from another in direction marks alone.

    Args:
        names: as from `read_names`.
    """
    first: dict[str, str] = {}
    twins = []
    for key, name in names.select("name_id", "name").iter_rows():
        other = first.setdefault(reading(name), key)
        if other != key:
            twins.append(
                f"name {key!r} differs from {other!r} in marks of direction alone: nobody sees "
                "them, but the model is sent both"
            )
    return twins


def sent_for_others(templates: pl.DataFrame, file: str) -> list[str]:
    """A sentence on the templates that seem to be written for HTML, or for another program.

    Args:
        templates: columns template_id and template.
        file: where they stand.
    """
    found = [
        (key, *written)
        for key, template in templates.select("template_id", "template").iter_rows()
        if (written := written_for(template)) is not None
    ]
    if not found:
        return []
    key, what, meant = found[0]
    also = f" (and so {counted(len(found) - 1, 'other')})" if len(found) > 1 else ""
    sent = f"{file}: {key!r}{also} is written for {what} and sent as it stands"
    return [f"{sent}; it seems to say {meant!r}"]


def sent_in_brackets(stimuli: Stimuli, file: str) -> list[str]:
    """A sentence on the templates with words in brackets, or other tools' marks, that stay.

    Args:
        stimuli: as from `read_stimuli`.
        file: where the templates stand.
    """
    left: list[tuple[str, str, str]] = []
    for key, template in stimuli.templates.select("template_id", "template").iter_rows():
        left += [(key, text, "") for text, _ in left_in_brackets(template, stimuli.names.columns)]
        left += [
            (key, text, f"; if another tool was to fill it, write {meant} here")
            for text, meant in of_other_tools(template, stimuli.names.columns)
        ]
    if not left:
        return []
    key, text, instead = left[0]
    more = len({each for each, *_ in left}) - 1
    also = f" (and so in {counted(more, 'other template')})" if more else ""
    return [f"{file}: template {key!r} has {text} in it, which is sent as it stands{also}{instead}"]
