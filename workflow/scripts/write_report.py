from pathlib import Path

from refusal_parity.config import StudyConfig
from refusal_parity.console import job
from refusal_parity.report.writing import ReportFiles, read_inputs, write_all
from refusal_parity.tables import tables_of

with job("report", snakemake.log[0]):
    made = snakemake.output
    study = StudyConfig.model_validate(snakemake.params.study)
    inputs = read_inputs(
        study,
        {key: [Path(path) for path in snakemake.input[key]] for key in tables_of(study)},
        registered=[Path(path) for path in snakemake.input.preregistrations],
        opened=next(map(Path, snakemake.input.opened), None),
    )
    write_all(
        inputs,
        ReportFiles(
            report=Path(made.report),
            figures=Path(made.figures),
            tables=Path(made.tables),
            summary=Path(made.summary),
        ),
    )
