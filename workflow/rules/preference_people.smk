# As in studies of models: the sample grows with the data, a newer classifier alone is no reason
# to draw again, and files for people are no output.
rule draw_human_sample:
    input:
        pairs=f"{RESULTS}/pairs.parquet",
        mentions=f"{RESULTS}/mentions.parquet",
        classifier=ancient(CLASSIFIER),
    output:
        sample=update(f"{AUDIT}/sample.parquet"),
    log:
        f"{LOGS}/draw_human_sample.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=4000,
        runtime=minutes(60),
    params:
        human=given(STUDY.labelling.human, "labels", "show_votes"),
        mentioned_in=PREFERENCE.mentioned_in,
    message:
        "Drawing answers of pairs for people to label"
    script:
        f"{SCRIPTS}/draw_sides.py"


if LABELLED_BY_PEOPLE:

    rule measure_agreement:
        input:
            sides=f"{RESULTS}/sides.parquet",
            conversations=f"{RESULTS}/conversations.parquet",
            mentions=f"{RESULTS}/mentions.parquet",
            human=HUMAN,
            votes=f"{AUDIT}/votes.parquet",
            sample=f"{AUDIT}/sample.parquet",
        output:
            agreement=f"{AUDIT}/agreement.parquet",
            confusion=f"{AUDIT}/confusion.parquet",
        log:
            f"{LOGS}/measure_agreement.log",
        conda:
            ANALYSIS_ENV
        resources:
            mem_mb=4000,
            runtime=minutes(30),
        params:
            mentioned_in=PREFERENCE.mentioned_in,
            alpha=STUDY.analysis.alpha,
        message:
            "Comparing labels of answers with people's"
        script:
            f"{SCRIPTS}/measure_noise.py"
