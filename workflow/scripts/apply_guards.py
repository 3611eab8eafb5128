from pathlib import Path

from refusal_parity.console import job
from refusal_parity.guards.applying import with_guarded
from refusal_parity.tables import (
    GuardStops,
    Prompts,
    Responses,
    read_metadata,
    read_table,
    write_table,
)

drawn = Path(snakemake.input.drawn)
with job(snakemake.wildcards.model, snakemake.log[0]):
    responses = with_guarded(
        read_table(Responses, drawn),
        read_table(Prompts, Path(snakemake.input.prompts)),
        read_table(GuardStops, Path(snakemake.input.stops)),
    )
    write_table(
        responses,
        Responses,
        Path(snakemake.output.responses),
        metadata=read_metadata(drawn),
    )
