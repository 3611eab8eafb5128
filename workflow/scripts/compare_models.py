from pathlib import Path

from refusal_parity.console import job
from refusal_parity.statistics.comparison import compare
from refusal_parity.tables import Comparison, Disparity, Rates, read_table, write_table

with job("comparison", snakemake.log[0]):
    comparison = compare(
        [read_table(Rates, Path(path)) for path in snakemake.input.rates],
        [read_table(Disparity, Path(path)) for path in snakemake.input.disparity],
    )
    write_table(comparison, Comparison, Path(snakemake.output.comparison))
