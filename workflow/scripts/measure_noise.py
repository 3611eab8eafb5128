from pathlib import Path

from refusal_parity.agreement.remarks import remarks
from refusal_parity.agreement.sentences import agreement_sentences
from refusal_parity.console import job
from refusal_parity.preference.noise import (
    rated_sides,
    side_agreement,
    side_confusion,
    side_votes,
    with_groups,
)
from refusal_parity.tables import (
    Agreement,
    AuditSample,
    Confusion,
    Conversations,
    HumanLabels,
    Mentions,
    Sides,
    Votes,
    read_table,
    write_table,
)

with job("agreement", snakemake.log[0]) as say:
    given, params = snakemake.input, snakemake.params
    rated = rated_sides(
        read_table(Sides, Path(given.sides)),
        read_table(HumanLabels, Path(given.human)),
        read_table(Conversations, Path(given.conversations)),
    )
    by_group = with_groups(
        rated, read_table(Mentions, Path(given.mentions)), mentioned_in=params.mentioned_in
    )
    cast = read_table(Votes, Path(given.votes))
    sample = read_table(AuditSample, Path(given.sample))
    votes = side_votes(cast, sample, rated)
    agreement = side_agreement(rated, by_group, votes, alpha=params.alpha)
    remarked = remarks(cast, sample)
    for sentence in (*agreement_sentences(agreement), *remarked):
        say(sentence)
    write_table(side_confusion(rated), Confusion, Path(snakemake.output.confusion))
    metadata = {"remarks": remarked}
    write_table(agreement, Agreement, Path(snakemake.output.agreement), metadata=metadata)
