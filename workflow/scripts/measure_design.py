from pathlib import Path

import polars as pl

from refusal_parity.config import AnalysisConfig, load_config
from refusal_parity.console import job
from refusal_parity.guards.requests import open_prompts
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.planning.table import measured_design
from refusal_parity.statistics.planning.weighing import refused_units, weighing_would_bring
from refusal_parity.tables import (
    Labels,
    Prompts,
    Propensity,
    StudyDesign,
    read_table,
    write_table,
)

key = snakemake.wildcards.model

with job(key, snakemake.log[0]) as say:
    analysis = AnalysisConfig.model_validate(snakemake.params.analysis)
    propensity = snakemake.input.get("propensity")
    prompts = read_table(Prompts, Path(snakemake.input.prompts))
    labels = read_table(Labels, Path(snakemake.input.labels))
    observations = observe(
        prompts,
        labels,
        analysis,
        propensity=read_table(Propensity, Path(propensity)) if propensity else None,
    )
    design = measured_design(observations, analysis, say)
    asked = open_prompts(prompts)
    weighing = weighing_would_bring(
        design,
        load_config(snakemake.config, where="the config"),
        key,
        prompts=asked,
        refused=refused_units(asked, labels),
    )
    write_table(pl.concat([design, weighing]), StudyDesign, Path(snakemake.output.design))
