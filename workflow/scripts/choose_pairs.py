from pathlib import Path

from refusal_parity.console import job
from refusal_parity.counting import counted
from refusal_parity.preference.pairs import PART
from refusal_parity.preference.shown import About, shown_pairs
from refusal_parity.tables import (
    Conversations,
    HumanLabels,
    Mentions,
    PairJudgements,
    Pairs,
    ShownPairs,
    Sides,
    read_parts,
    read_table,
    write_table,
)

with job("pairs to read", snakemake.log[0]) as say:
    given = snakemake.input
    about = About(
        sides=read_table(Sides, Path(given.sides)),
        mentions=read_table(Mentions, Path(given.mentions)),
        conversations=read_table(Conversations, Path(given.conversations)),
        human=read_table(HumanLabels, Path(given.human)) if given.human else None,
        judgements=read_table(PairJudgements, Path(given.judgements)) if given.judgements else None,
        mentioned_in=snakemake.params.mentioned_in,
    )
    shown = shown_pairs(read_parts(Pairs, Path(given.pairs), PART), about)
    write_table(shown, ShownPairs, Path(snakemake.output.shown_pairs))
    of = counted(len(about.conversations), "pair")
    say(f"{len(shown):,} of {of} to read in the report")
