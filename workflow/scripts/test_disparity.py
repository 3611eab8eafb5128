from pathlib import Path

from refusal_parity.config import AnalysisConfig
from refusal_parity.console import job
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.observations import observe
from refusal_parity.tables import (
    Disparity,
    HumanLabels,
    Labels,
    Prompts,
    Responses,
    read_table,
    write_table,
)

with job(snakemake.wildcards.model, snakemake.log[0]):
    analysis = AnalysisConfig.model_validate(snakemake.params.analysis)
    observations = observe(
        read_table(Prompts, Path(snakemake.input.prompts)),
        read_table(Labels, Path(snakemake.input.labels)),
        read_table(Responses, Path(snakemake.input.responses)),
    )
    labelled_by_people = snakemake.input.get("human")
    human = read_table(HumanLabels, Path(labelled_by_people)) if labelled_by_people else None
    write_table(
        disparities(observations, analysis, human), Disparity, Path(snakemake.output.disparity)
    )
