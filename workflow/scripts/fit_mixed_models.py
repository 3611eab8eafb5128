from pathlib import Path

from refusal_parity.config import AnalysisConfig
from refusal_parity.console import job
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.mixed_models import mixed_models
from refusal_parity.tables import Labels, MixedModels, Prompts, read_table, write_table

with job(snakemake.wildcards.model, snakemake.log[0]) as say:
    analysis = AnalysisConfig.model_validate(snakemake.params.analysis)
    observations = observe(
        read_table(Prompts, Path(snakemake.input.prompts)),
        read_table(Labels, Path(snakemake.input.labels)),
        analysis,
    )
    write_table(
        mixed_models(observations, analysis, say), MixedModels, Path(snakemake.output.mixed_models)
    )
