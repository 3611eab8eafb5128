from pathlib import Path

from refusal_parity.config import PairColumns
from refusal_parity.console import job
from refusal_parity.preference.pairs import Ledger, read_pairs
from refusal_parity.tables import PairLedger, Pairs, write_parts, write_table

with job("pairs", snakemake.log[0]) as say:
    ledger = Ledger()
    pairs = read_pairs(
        Path(snakemake.input.file),
        layout=snakemake.params.format,
        columns=PairColumns.model_validate(snakemake.params.columns),
        ledger=ledger,
    )
    write_parts(pairs, Pairs, Path(snakemake.output.pairs))
    write_table(ledger.table(), PairLedger, Path(snakemake.output.pair_ledger))
    say(ledger.sentence())
