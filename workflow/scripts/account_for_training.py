from pathlib import Path

from refusal_parity.console import job
from refusal_parity.tables import Training, read_tables, write_table

with job("training", snakemake.log[0]):
    gathered = read_tables(Training, map(Path, snakemake.input.tables))
    write_table(gathered, Training, Path(snakemake.output.training))
