# The sample grows with the responses. A newer classifier alone is no reason to draw again.
# Files for people are no output: Snakemake would delete them, and what stands in them.
rule draw_human_sample:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        responses=expand(f"{MODEL_RESULTS}/responses.parquet", model=MODELS),
        classifier=ancient(CLASSIFIER),
    output:
        # There while the job runs: it says what people were given before.
        sample=update(f"{AUDIT}/sample.parquet"),
    log:
        f"{LOGS}/draw_human_sample.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=4000,
        runtime=minutes(30),
    params:
        human=given(
            STUDY.labelling.human, "labels", "show_votes", "leaves", "leaf_labels"
        ),
    message:
        f"Drawing responses of {', '.join(MODELS)} for people to label"
    script:
        f"{SCRIPTS}/draw_human_sample.py"


if STUDY.continued:

    # What people say of ordinary draws may change what is drawn on from openings: two samples.
    rule draw_leaf_sample:
        input:
            prompts=f"{RESULTS}/prompts.parquet",
            responses=expand(
                f"{MODEL_RESULTS}/leaf_responses.parquet", model=STUDY.continued
            ),
            classifier=ancient(CLASSIFIER),
        output:
            sample=update(f"{AUDIT}/leaf_sample.parquet"),
        log:
            f"{LOGS}/draw_leaf_sample.log",
        conda:
            ANALYSIS_ENV
        resources:
            mem_mb=4000,
            runtime=minutes(30),
        params:
            human=given(
                STUDY.labelling.human,
                *("labels", "show_votes", "leaf_labels", "probability", "informative"),
            ),
            leaves=True,
        message:
            f"Drawing responses of {', '.join(STUDY.continued)} to openings for people to label"
        script:
            f"{SCRIPTS}/draw_human_sample.py"


rule measure_agreement:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        responses=expand(f"{MODEL_RESULTS}/responses.parquet", model=MODELS),
        labels=expand(f"{MODEL_RESULTS}/labels.parquet", model=MODELS),
        judgements=JUDGEMENTS,
        human=HUMAN if LABELLED_BY_PEOPLE else [],
        votes=f"{AUDIT}/votes.parquet" if LABELLED_BY_PEOPLE else [],
        sample=f"{AUDIT}/sample.parquet" if LABELLED_BY_PEOPLE else [],
        leaf_human=LEAF_HUMAN if LEAVES_LABELLED_BY_PEOPLE else [],
        leaf_labels=expand(
            f"{MODEL_RESULTS}/leaf_labels.parquet", model=MODELS_OF_READ_LEAVES
        ),
        standing=expand(
            f"{MODEL_RESULTS}/weighed_responses.parquet", model=MODELS_OF_READ_LEAVES
        ),
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
        # What it reads of the config; nothing where no label is held against another.
        analysis=(
            {key: ANALYSIS.get(key) for key in ("alpha", "dimensions", "seed")}
            if LABELLED_BY_PEOPLE or IMPORTED_MODELS
            else None
        ),
    message:
        f"Comparing the labellings of {', '.join(MODELS)}"
    script:
        f"{SCRIPTS}/measure_agreement.py"
