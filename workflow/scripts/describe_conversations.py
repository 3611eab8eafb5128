from pathlib import Path

from refusal_parity.console import job
from refusal_parity.counting import agreed, counted
from refusal_parity.preference.conversations import describe_conversations
from refusal_parity.preference.harm import MASK, train_harm_model
from refusal_parity.preference.lexicon import read_lexicon
from refusal_parity.preference.pairs import PART
from refusal_parity.tables import Conversations, Pairs, read_parts, write_table

with job("conversations", snakemake.log[0]) as say:
    lexicon = read_lexicon(Path(snakemake.input.lexicon))
    harm = train_harm_model(lambda text: lexicon.masked(text, MASK))
    parts = read_parts(Pairs, Path(snakemake.input.pairs), PART)
    described = describe_conversations(parts, harm)
    write_table(described, Conversations, Path(snakemake.output.conversations))
    clusters = described["cluster"].n_unique()
    say(
        f"{counted(len(described), 'conversation')}, with {counted(clusters, 'opening')} that "
        f"{agreed(clusters, 'is', 'are')} not nearly equal"
    )
