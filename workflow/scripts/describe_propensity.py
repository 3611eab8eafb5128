from pathlib import Path

from refusal_parity.config import AnalysisConfig
from refusal_parity.console import job
from refusal_parity.counting import counted
from refusal_parity.factors import take_up
from refusal_parity.statistics.propensity.checks import propensity_checks
from refusal_parity.statistics.propensity.effects import propensity_effects
from refusal_parity.statistics.propensity.levels import propensity_levels
from refusal_parity.statistics.propensity.measured import measured
from refusal_parity.statistics.weighed_sample import weighed_sample
from refusal_parity.tables import (
    Disparity,
    HumanLabels,
    LeafHumanLabels,
    Prompts,
    Propensity,
    PropensityChecks,
    PropensityEffects,
    PropensityLevels,
    Weighed,
    WeighedResponses,
    read_table,
    write_table,
)

with job(snakemake.wildcards.model, snakemake.log[0]) as say:
    analysis = AnalysisConfig.model_validate(snakemake.params.analysis)
    prompts = read_table(Prompts, Path(snakemake.input.prompts))
    take_up(prompts, analysis.dimensions)
    rows = measured(
        prompts,
        read_table(Propensity, Path(snakemake.input.propensity)),
        read_table(Weighed, Path(snakemake.input.weighed)),
        analysis,
    )
    disparity = read_table(Disparity, Path(snakemake.input.disparity))
    say(f"comparing propensities of {counted(len(rows), 'prompt')}")
    said = [
        read_table(schema, Path(file)) if file else None
        for schema, file in (
            (HumanLabels, snakemake.input.get("human")),
            (LeafHumanLabels, snakemake.input.get("leaf_human")),
        )
    ]
    responses = read_table(WeighedResponses, Path(snakemake.input.responses))
    nobody = all(each is None for each in said)
    levels = propensity_levels(
        rows, analysis, None if nobody else weighed_sample(rows, responses, *said)
    )
    effects = propensity_effects(rows, levels, disparity, analysis)
    checks = propensity_checks(rows, analysis)
    write_table(levels, PropensityLevels, Path(snakemake.output.propensity_levels))
    write_table(effects, PropensityEffects, Path(snakemake.output.propensity_effects))
    write_table(checks, PropensityChecks, Path(snakemake.output.propensity_checks))
