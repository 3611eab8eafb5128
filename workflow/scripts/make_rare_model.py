from pathlib import Path

from refusal_parity.console import job
from refusal_parity.demo.rare_recipe import make_rare_model
from refusal_parity.demo.wording_recipe import Files

with job(snakemake.wildcards.rare, snakemake.log[0]):
    given = snakemake.input
    make_rare_model(
        snakemake.wildcards.rare,
        Files(
            names=Path(given.names),
            templates=Path(given.templates),
            phrases=Path(given.phrases),
        ),
        Path(snakemake.output.weights).parent,
    )
