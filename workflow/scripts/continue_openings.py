from pathlib import Path

from refusal_parity.config import SamplingConfig, engine_of, load_config
from refusal_parity.console import job
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.store.anew import wanted_anew
from refusal_parity.inference.store.responses import STORE
from refusal_parity.openings.continuing import continue_openings
from refusal_parity.openings.strata import strata
from refusal_parity.tables import (
    OpeningProbabilities,
    Openings,
    Prompts,
    Propensity,
    read_table,
)

key = snakemake.wildcards.model
study = load_config(snakemake.config, where="the config")
model = study.models[key]
folder, adapter = Path(snakemake.input.folder), snakemake.input.get("adapter")
sampling = SamplingConfig.model_validate(snakemake.params.sampling)
output = Path(snakemake.output.responses)

with job(key, snakemake.log[0]) as say:
    leaves = strata(
        read_table(Openings, Path(snakemake.input.openings)),
        read_table(OpeningProbabilities, Path(snakemake.input.probabilities)),
        read_table(Propensity, Path(snakemake.input.propensity)),
        longest=sampling.most_tokens(model),
    )
    continue_openings(
        InferenceJob(
            key=key,
            model=model,
            folder=folder,
            samples=1,
            sampling=sampling,
            adapter=Path(adapter) if adapter else None,
            threads=snakemake.threads,
            store=Path(study.results) / STORE,
            since=wanted_anew(snakemake.rule, output),
        ),
        read_table(Prompts, Path(snakemake.input.prompts)),
        leaves,
        engine_of(model).module().speaker(key, model, folder).written,
        output,
        say=say,
    )
