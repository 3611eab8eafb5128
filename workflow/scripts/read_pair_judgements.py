from pathlib import Path

from refusal_parity.console import job
from refusal_parity.counting import counted
from refusal_parity.pair_vocabulary import PAIR_VERDICT_WORDS
from refusal_parity.preference.judge import read_pair_judgements
from refusal_parity.tables import PairJudgements, Responses, read_table, write_table

with job("judge", snakemake.log[0]) as say:
    judgements = read_pair_judgements(
        read_table(Responses, Path(snakemake.input.answers)), snakemake.params.judge_id
    )
    write_table(judgements, PairJudgements, Path(snakemake.output.judgements))
    counts = dict(judgements["verdict"].value_counts().iter_rows())
    for verdict, words in PAIR_VERDICT_WORDS.items():
        say(f"{counts.get(verdict, 0):,} of {counted(len(judgements), 'pair')}: {words}")
