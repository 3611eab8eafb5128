from pathlib import Path

from refusal_parity.console import job
from refusal_parity.tables import SelfCheck, read_tables, write_table

with job("self-check", snakemake.log[0]):
    gathered = read_tables(SelfCheck, map(Path, snakemake.input.tables))
    write_table(gathered, SelfCheck, Path(snakemake.output.selfcheck))
