from pathlib import Path

from refusal_parity.config import SamplingConfig, engine_of, load_config
from refusal_parity.console import job
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.store.responses import STORE
from refusal_parity.layout import OPENING_STORE
from refusal_parity.openings.measuring import measure
from refusal_parity.openings.pilot import read_pilot
from refusal_parity.tables import (
    DrawnOpenings,
    Labels,
    OpeningProbabilities,
    Openings,
    Prompts,
    Propensity,
    Responses,
    read_metadata,
    read_table,
    write_table,
)

key = snakemake.wildcards.model
study = load_config(snakemake.config, where="the config")
model = study.models[key]
folder, adapter = Path(snakemake.input.get("folder", "")), snakemake.input.get("adapter")

with job(key, snakemake.log[0]) as say:
    prompts = read_table(Prompts, Path(snakemake.input.prompts))
    pilot = read_pilot(
        prompts,
        read_table(Responses, Path(snakemake.input.responses)),
        read_table(Labels, Path(snakemake.input.labels)),
        engine_of(model).module().speaker(key, model, folder),
    )
    found = measure(
        InferenceJob(
            key=key,
            model=model,
            folder=folder,
            samples=1,
            sampling=SamplingConfig.model_validate(snakemake.params.sampling),
            adapter=Path(adapter) if adapter else None,
            threads=snakemake.threads,
            store=Path(study.results) / STORE,
        ),
        prompts,
        read_table(Openings, Path(snakemake.input.openings)),
        pilot,
        Path(study.results) / OPENING_STORE,
        say=say,
        output=Path(snakemake.output.propensity),
    )
    metadata = read_metadata(Path(snakemake.input.openings)) | found.metadata
    write_table(
        found.probabilities,
        OpeningProbabilities,
        Path(snakemake.output.probabilities),
        metadata=metadata,
    )
    write_table(found.drawn, DrawnOpenings, Path(snakemake.output.drawn), metadata=metadata)
    write_table(
        found.propensities, Propensity, Path(snakemake.output.propensity), metadata=metadata
    )
