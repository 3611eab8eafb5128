"""Checks of a study that need its files, done before any job starts."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.cells import read_header
from refusal_parity.config import ImportModel, engine_of
from refusal_parity.csvfiles import read_csv
from refusal_parity.dimensions import DIMENSIONS, Unit, list_up, of_unit
from refusal_parity.errors import InputError
from refusal_parity.factors import KIND, SET, refuse_no_factor, refuse_words
from refusal_parity.inference.import_rows import refuse_missing_columns
from refusal_parity.labelling.goldfiles import read_gold_files
from refusal_parity.labelling.starter import gold_files
from refusal_parity.layout import is_downloaded
from refusal_parity.levels import Units, check_levels
from refusal_parity.listed import read_list
from refusal_parity.preference.lexicon import read_lexicon
from refusal_parity.prompts import (
    NAMES,
    TEMPLATES,
    read_names,
    read_stimuli,
    read_templates,
)
from refusal_parity.stages import at_stage, check_stages
from refusal_parity.stimuli_remarks import (
    direction_twins,
    sent_for_others,
    sent_in_brackets,
    unused_factors,
)
from refusal_parity.workload import PromptCount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.config import ClassifierGuard, StudyConfig, TrainConfig


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a study before it runs.

    Attributes:
        prompts: how many there will be; null where their file is still to be fetched.
        remarks: sentences on what the study can hardly have meant.
    """

    prompts: PromptCount | None
    remarks: list[str]


def check_inputs(config: StudyConfig, *, where: str) -> Checked:
    """Check that every file that the config names is there and usable.

    Args:
        config: the study.
        where: the config file, for error texts.

    Raises:
        InputError: at the first file, row or folder that cannot be used.
    """
    checked = _check_data(config, where)
    _check_models(config, where)
    if config.labelling.method == "classifier":
        read_gold_files(gold_files(config.labelling.gold, starter=config.labelling.starter))
    if config.pilot is not None:
        _check_pilot(Path(config.results), config.pilot, f"{where}, pilot")
    human = config.labelling.human
    for key, files in (("labels", human.labels), ("leaf_labels", human.leaf_labels)):
        for labels in files:
            _check_there(Path(labels), f"{where}, labelling.human.{key}")
    _check_writable(Path(config.results) / config.study, where)
    return replace(checked, remarks=[*checked.remarks, *unweighed(config)])


def _check_models(config: StudyConfig, where: str) -> None:
    """Files of models, of a judge and of guards; of responses, as far as the head tells."""
    models = {f"models.{key}": model for key, model in config.models.items()}
    if config.labelling.judge is not None:
        models["labelling.judge"] = config.labelling.judge
    for name, guard in config.guards.items():
        if guard.kind == "model":
            models[f"guards.{name}.model"] = guard.model
        else:
            _check_templates(guard, f"{where}, guards.{name}")
    for name, model in models.items():
        for key, path in model.files():
            _check_there(path, f"{where}, {name}.{key}")
        if isinstance(model, ImportModel) and Path(model.path).is_file():
            refuse_missing_columns(model)


def unweighed(config: StudyConfig) -> Iterator[str]:
    """Sentences on the models whose openings the study would weigh, and cannot."""
    if config.sampling.openings != "weigh":
        return
    for key, model in config.models.items():
        engine = engine_of(model)
        if not model.weighs and model.openings != "draw":
            yield (
                f"models.{key}: its openings are not weighed, as engine {engine.key} does not tell "
                "how probable a given beginning of a response is; its responses are as ever"
                + "; vLLM's own server does, and `server: vllm` says so"
                * engine.served
            )


def _check_data(config: StudyConfig, where: str) -> Checked:
    """Prompts and preference data."""
    if config.train is not None:
        _check_training(config.train, where)
    if config.preference is None:
        return _check_stimuli(config, where)
    for key, path in config.preference.files():
        _check_there(path, f"{where}, preference.{key}")
    read_lexicon(Path(config.preference.mentions))
    return Checked(None, [])


def _check_templates(guard: ClassifierGuard, where: str) -> None:
    """Files that a guard learns from: usable, and none of them both ways."""
    for path in map(Path, [*guard.harmful, *guard.harmless]):
        _check_there(path, where)
        read_templates(path)
    if guard.names is not None:
        _check_there(Path(guard.names), where)
        groups = read_names(Path(guard.names))["group"].unique().sort().to_list()
        named = {"harmful_groups": guard.harmful_groups, "harmless_groups": guard.harmless_groups}
        for key, group in ((key, group) for key, given in named.items() for group in given):
            if group in groups:
                continue
            raise InputError(
                f"{key} has {group!r}, which is no group of {guard.names}",
                where=where,
                remedy=f"Name some of: {', '.join(groups)}.",
            )
    if both := set(guard.harmful) & set(guard.harmless):
        raise InputError(
            f"{min(both)} stands under harmful and under harmless",
            where=where,
            remedy="Take it out of one of them.",
        )


def _check_stimuli(config: StudyConfig, where: str) -> Checked:
    prompts = config.prompts
    if prompts.from_model is not None:
        return _check_imported(config, prompts.from_model, where)
    if prompts.list is not None:
        return _check_list(config, prompts.list, where)
    # Both are there: that was checked when the config was read.
    files = ", ".join(prompts.template_files), str(prompts.names)
    paths = [Path(file) for file in prompts.template_files]
    stimuli = read_stimuli(paths, Path(files[1]), group_column=prompts.group_column)
    units = {
        Unit.TEMPLATE: Units(rows=stimuli.templates, key="template_id", said_in=files[0]),
        Unit.NAME: Units(rows=stimuli.names, key="name_id", said_in=files[1]),
        Unit.PROMPT: Units(
            rows=pl.DataFrame({"arm": list(prompts.arms)}), key="arm", said_in="prompts.arms"
        ),
    }
    list_up(())
    analysis = config.analysis
    used = [SET, KIND, *analysis.dimensions, *analysis.covariates]
    for read, frame, sheet in (
        *((path, stimuli.templates, TEMPLATES) for path in paths),
        (Path(files[1]), stimuli.names, NAMES),
    ):
        header = read_header(read, sheet)
        # A column that must be there holds no dates, which workbooks make of 10-12.
        asked = [key for key in used if key in header and key != "group"]
        rows = read_csv(read, required=asked, sheet=sheet)
        for key in analysis.covariates:
            if key in header and not frame.schema[key].is_numeric():
                refuse_words(rows, key, read)
    remarks = []
    for file, frame in zip(files, (stimuli.templates, stimuli.names), strict=True):
        unused = unused_factors(stimuli, used, frame.columns)
        if unused:
            remarks.append(f"{file}: neither compared nor part of a prompt: {', '.join(unused)}")
    if prompts.group_column != "group" and "group" in read_header(Path(files[1]), NAMES):
        remarks.append(
            f"{files[1]}: the column 'group' is not read, since prompts.group_column is "
            f"{prompts.group_column!r}"
        )
    remarks += direction_twins(stimuli.names)
    remarks += sent_in_brackets(stimuli, files[0])
    remarks += sent_for_others(stimuli.templates, files[0])
    remarks += check_levels(analysis, units, where=where)
    check_stages(stimuli, analysis, where=where)
    stimuli = at_stage(stimuli, analysis)
    count = PromptCount.of_product(stimuli.templates, stimuli.names, prompts.arms)
    return Checked(count, remarks)


def _check_list(config: StudyConfig, file: str, where: str) -> Checked:
    """A list and its levels, as far as the file is there."""
    prompts, analysis = config.prompts, config.analysis
    if is_downloaded(file, prompts.download) and not Path(file).is_file():
        return Checked(None, [])
    listed = read_list(
        Path(file),
        prompts.columns,
        sheet=prompts.sheet,
        compared=analysis.dimensions,
        covariates=analysis.covariates,
    )
    arms = Units(rows=pl.DataFrame({"arm": list(prompts.arms)}), key="arm", said_in="prompts.arms")
    of_list = Units(rows=listed, key="template_id", said_in=file)
    units = dict.fromkeys(Unit, of_list) | {Unit.PROMPT: arms}
    list_up(())
    for key in analysis.dimensions:
        if key not in DIMENSIONS:
            at = f"{where}, analysis.dimensions.{key}"
            refuse_no_factor(key, listed, where=at, files="the list")
    list_up(analysis.dimensions)
    remarks = []
    core = {"template_id", "template", *of_unit(Unit.NAME), *of_unit(Unit.TEMPLATE)}
    used = {*core, SET, *analysis.dimensions, *analysis.covariates}
    unused = [each for each in listed.columns if each not in used]
    if unused:
        remarks.append(f"{file}: neither compared nor part of a prompt: {', '.join(unused)}")
    remarks += sent_for_others(listed, file)
    remarks += check_levels(analysis, units, where=where)
    return Checked(PromptCount.of_list(listed, prompts.arms), remarks)


def _check_imported(config: StudyConfig, model: str, where: str) -> Checked:
    """Levels of prompts that come with responses, as far as their file is there."""
    source = config.models[model]
    if not isinstance(source, ImportModel) or not Path(source.path).is_file():
        return Checked(None, [])
    # Slow to import, and few studies need it.
    from refusal_parity.inference.released_study import read_responses  # noqa: PLC0415

    prompts = read_responses(Path(source.path), layout=source.format, model=model).prompts
    keys = {Unit.NAME: "name_id", Unit.TEMPLATE: "template_id", Unit.PROMPT: "arm"}
    units = {
        unit: Units(
            rows=prompts.unique(key, keep="first", maintain_order=True),
            key=key,
            said_in=source.path,
        )
        for unit, key in keys.items()
    }
    remarks = check_levels(config.analysis, units, where=where)
    return Checked(PromptCount.of_table(prompts), remarks)


def _check_there(path: Path, where: str) -> None:
    if not path.is_file():
        raise InputError(f"{path} is not there", where=where, remedy="Correct the path.")


def _check_pilot(results: Path, pilot: str, where: str) -> None:
    """An earlier study that has labelled responses."""
    folder = results / pilot
    labelled = any(folder.glob("models/*/labels.parquet"))
    if labelled and (folder / "prompts.parquet").is_file():
        return
    raise InputError(
        f"there is no study {pilot!r} with labelled responses in {results}",
        where=where,
        remedy="Run that study first, with the same folder of results, or correct its name.",
    )


def _check_training(train: TrainConfig, where: str) -> None:
    for key, path in train.files():
        _check_there(path, f"{where}, train.{key}")
    groups = read_lexicon(Path(train.mentions)).groups
    for name, variant in train.variants.items():
        for group in variant.without:
            if group not in groups:
                raise InputError(
                    f"{group!r} is no group of {train.mentions}",
                    where=f"{where}, train.variants.{name}.without",
                    remedy=f"Name some of: {', '.join(groups)}.",
                )


def _check_writable(folder: Path, where: str) -> None:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(
            f"results cannot be written to {folder}: {existing} is no folder you may write to",
            where=f"{where}, results",
            remedy="Name another folder or change its permissions.",
        )
