from pathlib import Path

from refusal_parity.console import job
from refusal_parity.preference.audit import Audit
from refusal_parity.preference.comparison import (
    group_differences,
    group_measures,
    groups_mentioned,
)
from refusal_parity.preference.left_out import group_ledger, group_losses, pairs_read
from refusal_parity.preference.lexicon import read_lexicon
from refusal_parity.preference.pairs import PART
from refusal_parity.tables import (
    Conversations,
    GroupDifferences,
    GroupLedger,
    GroupLosses,
    GroupMeasures,
    Groups,
    HumanLabels,
    Mentions,
    PairJudgements,
    Pairs,
    Sides,
    read_parts,
    read_table,
    write_table,
)

with job("groups", snakemake.log[0]):
    human, judgements = snakemake.input.human, snakemake.input.judgements
    sides = read_table(Sides, Path(snakemake.input.sides))
    mentions = read_table(Mentions, Path(snakemake.input.mentions))
    mentioned_in = snakemake.params.mentioned_in
    audit = Audit.of(
        sides,
        read_table(Conversations, Path(snakemake.input.conversations)),
        mentions,
        mentioned_in=mentioned_in,
        alpha=snakemake.params.alpha,
        human=read_table(HumanLabels, Path(human)) if human else None,
        judgements=read_table(PairJudgements, Path(judgements)) if judgements else None,
    )
    lexicon = read_lexicon(Path(snakemake.input.lexicon))
    write_table(groups_mentioned(audit, lexicon), Groups, Path(snakemake.output.groups))
    measures, differences = group_measures(audit), group_differences(audit)
    write_table(measures, GroupMeasures, Path(snakemake.output.group_measures))
    write_table(differences, GroupDifferences, Path(snakemake.output.group_differences))
    columns = ["pair", "exclusion", "requests", "opening"]
    read = pairs_read(read_parts(Pairs, Path(snakemake.input.pairs), PART, columns=columns))
    ledger = group_ledger(read, sides, mentions, mentioned_in=mentioned_in)
    write_table(ledger, GroupLedger, Path(snakemake.output.group_ledger))
    losses = group_losses(read, mentions, mentioned_in=mentioned_in, alpha=snakemake.params.alpha)
    write_table(losses, GroupLosses, Path(snakemake.output.group_losses))
