# The cluster's accounting may not answer on a node.
localrules:
    record_jobs,
    write_report,


rule record_jobs:
    input:
        unpack(last_files),
    output:
        jobs=f"{RESULTS}/jobs.parquet",
    log:
        f"{LOGS}/record_jobs.log",
    conda:
        ANALYSIS_ENV
    message:
        f"Recording the jobs of {STUDY.study}"
    script:
        f"{SCRIPTS}/record_jobs.py"


rule write_report:
    input:
        unpack(table_files),
        preregistrations=preregistrations,
        opened=opened_stages,
    output:
        report=report(
            f"{RESULTS}/report.html",
            caption="../report/report.rst",
            category="Report",
            labels={"file": "report.html"},
        ),
        figures=report(
            directory(f"{RESULTS}/figures"),
            patterns=["{figure}.svg"],
            caption="../report/figures.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        tables=report(
            directory(f"{RESULTS}/tables"),
            # Responses and labels may be too much for one page.
            patterns=[
                "{table,comparison|disparity|exclusions|findings|group_differences|group_ledger|group_losses|group_measures|groups|influence|lengths|overview|rates}.csv"
            ],
            caption="../report/tables.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        summary=f"{RESULTS}/summary.txt",
    log:
        f"{LOGS}/write_report.log",
    conda:
        ANALYSIS_ENV
    params:
        study=given(STUDY),
    message:
        f"Writing the report of {STUDY.study}"
    script:
        f"{SCRIPTS}/write_report.py"
