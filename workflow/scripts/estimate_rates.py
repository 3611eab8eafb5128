from pathlib import Path

from refusal_parity.config import AnalysisConfig
from refusal_parity.console import job
from refusal_parity.statistics.exclusions import exclusions
from refusal_parity.statistics.lengths import lengths
from refusal_parity.statistics.observations import observe
from refusal_parity.statistics.rates import rates
from refusal_parity.tables import (
    Exclusions,
    Labels,
    Lengths,
    Prompts,
    Rates,
    Responses,
    read_table,
    write_table,
)

with job(snakemake.wildcards.model, snakemake.log[0]):
    analysis = AnalysisConfig.model_validate(snakemake.params.analysis)
    prompts = read_table(Prompts, Path(snakemake.input.prompts))
    observations = observe(
        prompts,
        read_table(Labels, Path(snakemake.input.labels)),
        read_table(Responses, Path(snakemake.input.responses)),
    )
    write_table(rates(observations, analysis), Rates, Path(snakemake.output.rates))
    write_table(lengths(observations, analysis), Lengths, Path(snakemake.output.lengths))
    write_table(
        exclusions(observations, prompts, analysis),
        Exclusions,
        Path(snakemake.output.exclusions),
    )
