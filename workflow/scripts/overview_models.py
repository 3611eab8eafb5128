from pathlib import Path

from refusal_parity.console import job
from refusal_parity.statistics.overview import overview
from refusal_parity.tables import Disparity, Overview, Rates, read_table, write_table

with job("overview", snakemake.log[0]):
    table = overview(
        [read_table(Rates, Path(path)) for path in snakemake.input.rates],
        [read_table(Disparity, Path(path)) for path in snakemake.input.disparity],
    )
    write_table(table, Overview, Path(snakemake.output.overview))
