"""Columns of which the config names several, where the first that holds something counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.cells import NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping

    Named = Mapping[str, str | list[str] | None]

_NO_ERROR: Final = frozenset(
    {
        *("false", "0", "none", "null", "nan", "no", "ok", "success", "n/a", "-", "[]", "{}"),
        *("200", "200 ok", "succeeded", "successful", "completed", "complete", "finished", "done"),
        *("falsch", "faux", "falso", "onwaar", "fałsz", "ложь"),
    }
)
"""What programs write of a request that did not fail; spreadsheets write `false` in their own
language, and tables that know no whole numbers beside gaps 0.0 for 0."""

_ERROR, _THINKING = "columns.error", "columns.thinking"
_CALLED: Final = frozenset({"columns.name", "columns.template"})
"""People may be called `Null`: of these only what is empty is nothing."""


def spread(named: Named) -> dict[str, str | None]:
    """Each column by a key of its own: `columns.error[0]`, where a key names several."""
    found: dict[str, str | None] = {}
    for key, names in named.items():
        if isinstance(names, list):
            found |= {f"{key}[{place}]": name for place, name in enumerate(names)}
        else:
            found[key] = names
    return found


def key_of(key: str) -> str:
    """The config's key of a column: `columns.error` of `columns.error[0]`."""
    return key.partition("[")[0] if key.startswith("columns.") else key


def is_no_error(column: pl.Expr) -> pl.Expr:
    """Whether a text is what programs write of a request that did not fail."""
    words = column.str.to_lowercase().str.replace(r"^(\d+)[.,]0+$", "${1}")
    return words.is_in(_NO_ERROR)


def first_of_each(rows: pl.DataFrame, named: Named, *, in_words: bool) -> pl.DataFrame:
    """Rows with one column for each key.

    Args:
        rows: columns by the keys of `spread`.
        named: what was spread.
        in_words: whether it is a table of text, in which programs write words for nothing.
    """
    for key, names in named.items():
        if not isinstance(names, list):
            continue
        several = [pl.col(each) for each in spread({key: names})]
        nothing = NOTHING if in_words and key not in _CALLED else frozenset[str]()
        none = [each.is_in(nothing) | each.str.to_lowercase().is_in(nothing) for each in several]
        if key == _ERROR:
            none = [one | is_no_error(each) for one, each in zip(none, several, strict=True)]
        held = [pl.when(~one).then(each) for one, each in zip(none, several, strict=True)]
        # Where nothing but words for nothing stands, one of them is told of.
        first = pl.coalesce(*held, *several)
        if key == _THINKING and key in rows.columns:
            # What stood in parts of the response.
            other = pl.when(pl.col(key).ne_missing(first)).then(key)
            first = pl.concat_str(first, other, separator="\n\n", ignore_nulls=True).replace(
                "", None
            )
        rows = rows.with_columns(first.alias(key)).drop(*spread({key: names}))
    return rows
