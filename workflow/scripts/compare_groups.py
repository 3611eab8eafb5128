from pathlib import Path

from refusal_parity.console import job
from refusal_parity.preference.audit import Audit
from refusal_parity.preference.comparison import (
    group_differences,
    group_measures,
    groups_mentioned,
)
from refusal_parity.preference.lexicon import read_lexicon
from refusal_parity.tables import (
    Conversations,
    GroupDifferences,
    GroupMeasures,
    Groups,
    HumanLabels,
    Mentions,
    PairJudgements,
    Sides,
    read_table,
    write_table,
)

with job("groups", snakemake.log[0]):
    human, judgements = snakemake.input.human, snakemake.input.judgements
    audit = Audit.of(
        read_table(Sides, Path(snakemake.input.sides)),
        read_table(Conversations, Path(snakemake.input.conversations)),
        read_table(Mentions, Path(snakemake.input.mentions)),
        mentioned_in=snakemake.params.mentioned_in,
        alpha=snakemake.params.alpha,
        human=read_table(HumanLabels, Path(human)) if human else None,
        judgements=read_table(PairJudgements, Path(judgements)) if judgements else None,
    )
    lexicon = read_lexicon(Path(snakemake.input.lexicon))
    write_table(groups_mentioned(audit, lexicon), Groups, Path(snakemake.output.groups))
    measures, differences = group_measures(audit), group_differences(audit)
    write_table(measures, GroupMeasures, Path(snakemake.output.group_measures))
    write_table(differences, GroupDifferences, Path(snakemake.output.group_differences))
