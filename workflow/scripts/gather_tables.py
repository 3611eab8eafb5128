from pathlib import Path

from refusal_parity.console import job
from refusal_parity.tables import TABLES, read_tables, write_table

with job("gather", snakemake.log[0]):
    schema = TABLES[snakemake.params.table].schema
    gathered = read_tables(schema, map(Path, snakemake.input))
    write_table(gathered, schema, Path(snakemake.output[0]))
