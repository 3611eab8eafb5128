from pathlib import Path

import torch

from refusal_parity.console import job
from refusal_parity.demo.recipe import Tables, make_demo_model
from refusal_parity.demo.training import Settings

torch.set_num_threads(snakemake.threads)

with job(snakemake.wildcards.model, snakemake.log[0]) as say:
    make_demo_model(
        snakemake.wildcards.model,
        Tables(
            names=Path(snakemake.input.names),
            templates=Path(snakemake.input.templates),
            phrases=Path(snakemake.input.phrases),
        ),
        Path(snakemake.output.weights).parent,
        Settings(seed=snakemake.params.seed),
        report=say,
    )
