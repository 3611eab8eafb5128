localrules:
    write_report,


rule write_report:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        responses=expand(f"{MODEL_RESULTS}/responses.parquet", model=MODELS),
        labels=expand(f"{MODEL_RESULTS}/labels.parquet", model=MODELS),
        rates=expand(f"{MODEL_RESULTS}/rates.parquet", model=MODELS),
        exclusions=expand(f"{MODEL_RESULTS}/exclusions.parquet", model=MODELS),
        disparity=expand(f"{MODEL_RESULTS}/disparity.parquet", model=MODELS),
        lengths=expand(f"{MODEL_RESULTS}/lengths.parquet", model=MODELS),
        influence=expand(f"{MODEL_RESULTS}/influence.parquet", model=MODELS),
        human=HUMAN if LABELLED_BY_PEOPLE else [],
        overview=f"{RESULTS}/overview.parquet",
        comparison=f"{RESULTS}/comparison.parquet",
    output:
        report=report(
            f"{RESULTS}/report.html", caption="../report/report.rst", category="Report"
        ),
        figures=report(
            directory(f"{RESULTS}/figures"),
            patterns=["{figure}.svg"],
            caption="../report/figures.rst",
            category="Figures",
        ),
        summary=f"{RESULTS}/summary.txt",
    log:
        f"{LOGS}/write_report.log",
    conda:
        ANALYSIS_ENV
    params:
        study=given(STUDY),
        models=MODELS,
    message:
        "Writing the report of {STUDY.study}"
    script:
        f"{SCRIPTS}/write_report.py"
