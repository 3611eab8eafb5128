from pathlib import Path

from refusal_parity.config import StudyConfig
from refusal_parity.console import job
from refusal_parity.report.writing import ReportFiles, read_inputs, write_all
from refusal_parity.tables import EXPORTED

with job("report", snakemake.log[0]):
    made = snakemake.output
    given = set(snakemake.input.keys())
    inputs = read_inputs(
        StudyConfig.model_validate(snakemake.params.study),
        {key: [Path(path) for path in snakemake.input[key]] for key in EXPORTED if key in given},
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
