"""What a study asks models and what stands in front of them: that it is said, and once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.config.arms import NO_GUARD
from refusal_parity.config.imported import ImportModel
from refusal_parity.config.section import lost_sheet
from refusal_parity.dimensions import KEYS, with_factors
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from refusal_parity.config.study import StudyConfig


def check_prompts(config: StudyConfig, where: str) -> None:
    """Prompts come from names and templates, from a list, or from a model's file.

    Raises:
        InputError: nothing says where they come from, or two things do.
    """
    prompts = config.prompts
    if prompts.list is not None:
        _check_list(config, prompts.list, where)
        return
    for key in ("columns", "sheet", "download"):
        if key in prompts.model_fields_set:
            raise InputError(
                f"prompts.{key} stands without prompts.list, which it belongs to",
                where=where,
                remedy="Give prompts.list, or take it out.",
            )
    if prompts.from_model is not None:
        if prompts.templates is not None or prompts.names is not None:
            raise InputError(
                "prompts.from_model stands beside prompts.templates or prompts.names",
                where=where,
                remedy="Give either the two CSV files or from_model.",
            )
        source = config.models.get(prompts.from_model)
        if isinstance(source, ImportModel) and source.format == "table":
            raise InputError(
                f"prompts.from_model names {prompts.from_model!r}, a table that does not say "
                "which group a name is read as",
                where=where,
                remedy="Give prompts.templates and prompts.names.",
            )
        if not isinstance(source, ImportModel):
            raise InputError(
                f"prompts.from_model names {prompts.from_model!r}, which is no imported model",
                where=where,
                remedy="Name a model of this config that has `engine: import`.",
            )
    elif prompts.templates is None or prompts.names is None:
        raise InputError(
            "prompts.templates or prompts.names is missing",
            where=where,
            remedy="Give both CSV files, prompts.list for prompts as they stand, or "
            "prompts.from_model for imported responses.",
        )


def _check_list(config: StudyConfig, file: str, where: str) -> None:
    """What belongs to names and templates, or to another kind of file, stands beside no list."""
    beside = {"templates", "names", "group_column", "from_model"} & config.prompts.model_fields_set
    if beside:
        raise InputError(
            f"prompts.{min(beside)} stands beside prompts.list",
            where=where,
            remedy="A list has its prompts as they stand: give that alone, or templates and names.",
        )
    if lost := lost_sheet(config.prompts.sheet, file):
        raise InputError(f"prompts.sheet {lost}", where=where, remedy="Take it out.")
    if config.analysis.mixed_model:
        raise InputError(
            "analysis.mixed_model needs names and templates, which a prompt list has not",
            where=where,
            remedy="Take it out.",
        )


def check_factors(config: StudyConfig, where: str) -> None:
    """Dimensions and covariates are no keys, and go by the names that the study has for them.

    Raises:
        InputError: one tells names, texts or arms apart, or is what a file calls another column.
    """
    prompts = config.prompts
    ours = {theirs: known for known, theirs in prompts.columns.items()}
    if prompts.group_column not in with_factors(()):
        ours[prompts.group_column] = "group"
    for section in ("dimensions", "covariates"):
        for key in getattr(config.analysis, section):
            at = f"{where}, analysis.{section}" + f".{key}" * (section == "dimensions")
            known = key if key in prompts.columns else ours.get(key, key)
            if known in KEYS:
                raise _is_key(key, KEYS[known], section, at)
            if known != key:
                raise InputError(
                    f"{key!r} is what the file calls {known!r}, by "
                    f"prompts.{'columns' if known in prompts.columns else 'group_column'}",
                    where=at,
                    remedy=f"Write {known!r} here.",
                )


def _is_key(key: str, what: str, section: str, where: str) -> InputError:
    """That a column has another value for each of the sets, say, that it tells apart."""
    if section == "covariates":
        return InputError(
            f"{key!r} tells {what} apart, and is no number to adjust for",
            where=where,
            remedy="Name a column of numbers. If these are some that mean more, give the file a "
            "second column with them under another name.",
        )
    shared = f"a column whose words several {what} share, or add one to the file"
    better = "'arm'" if what == "arms" else shared
    return InputError(
        f"{key!r} tells {what} apart, and so divides them into no groups",
        where=where,
        remedy=f"Compare {better}.",
    )


def check_guards(config: StudyConfig, where: str) -> None:
    """Every guard stands in front of an arm, and every arm's guard is one of the study's.

    Raises:
        InputError: one is unknown or unused, or there is no arm to stand in front of.
    """
    if NO_GUARD in config.guards:
        raise InputError(
            f"guards.{NO_GUARD}: so tables call that there is no guard",
            where=where,
            remedy="Give it another key.",
        )
    used = {key: arm.guard for key, arm in config.prompts.arms.items() if arm.guard is not None}
    for arm, guard in used.items():
        if guard not in config.guards:
            raise InputError(
                f"prompts.arms.{arm}.guard names {guard!r}, which is no guard of this study",
                where=where,
                remedy=f"Name one of: {', '.join(config.guards)}."
                if config.guards
                else f"Say under guards.{guard} what it is.",
            )
    unused = [key for key in config.guards if key not in used.values()]
    if unused:
        raise InputError(
            f"guards.{unused[0]} stands in front of no arm",
            where=where,
            remedy=f"Give an arm `guard: {unused[0]}`, or take the guard out.",
        )
    if config.guards and config.prompts.from_model is not None:
        raise InputError(
            "a study whose prompts come from a model's file has no arms of its own to guard",
            where=where,
            remedy="Give prompts.templates and prompts.names.",
        )
