from pathlib import Path

from refusal_parity.console import job
from refusal_parity.preference.lexicon import read_lexicon
from refusal_parity.preference.mentions import find_mentions
from refusal_parity.preference.pairs import PART
from refusal_parity.tables import Mentions, Pairs, read_parts, write_parts

with job("mentions", snakemake.log[0]):
    lexicon = read_lexicon(Path(snakemake.input.lexicon))
    parts = read_parts(Pairs, Path(snakemake.input.pairs), PART)
    found = (find_mentions(part, lexicon) for part in parts)
    write_parts(found, Mentions, Path(snakemake.output.mentions))
