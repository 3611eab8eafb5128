from pathlib import Path

from refusal_parity.agreement.confusion import confusions
from refusal_parity.agreement.ratings import LabelFiles, gather_ratings
from refusal_parity.agreement.remarks import remarks
from refusal_parity.agreement.sentences import agreement_sentences
from refusal_parity.agreement.table import measure_agreement
from refusal_parity.config import AnalysisConfig
from refusal_parity.console import job
from refusal_parity.tables import (
    Agreement,
    AuditSample,
    Confusion,
    Judgements,
    Votes,
    read_table,
    write_table,
)

with job("agreement", snakemake.log[0]) as say:
    given = snakemake.input
    files = LabelFiles(
        prompts=Path(given.prompts),
        responses=[Path(path) for path in given.responses],
        labels=[Path(path) for path in given.labels],
        judgements=[Path(path) for path in given.judgements],
        human=Path(given.human) if given.human else None,
        votes=Path(given.votes) if given.votes else None,
        sample=Path(given.sample) if given.sample else None,
        leaf_human=Path(given.leaf_human) if given.leaf_human else None,
        leaf_labels=[Path(path) for path in given.leaf_labels],
        standing=[Path(path) for path in given.standing],
    )
    analysis = AnalysisConfig.model_validate(snakemake.config.get("analysis", {}))
    ratings = gather_ratings(files, analysis.dimensions)
    agreement = measure_agreement(ratings, analysis)
    remarked = remarks(
        read_table(Votes, files.votes) if files.votes else None,
        read_table(AuditSample, files.sample) if files.sample else None,
        (read_table(Judgements, path) for path in files.judgements),
    )
    for sentence in (*agreement_sentences(agreement), *remarked):
        say(sentence)
    write_table(confusions(ratings.rows), Confusion, Path(snakemake.output.confusion))
    metadata = {"remarks": remarked}
    write_table(agreement, Agreement, Path(snakemake.output.agreement), metadata=metadata)
