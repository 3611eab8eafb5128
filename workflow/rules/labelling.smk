# Labels by people: rules that read them name this file only where there are some.
HUMAN = f"{RESULTS}/audit/human.parquet"
LABELLED_BY_PEOPLE = False
CLASSIFIER = f"{RESULTS}/classifier/classifier.skops"


rule train_classifier:
    input:
        gold=STUDY.labelling.gold,
    output:
        classifier=CLASSIFIER,
        evaluation=f"{RESULTS}/classifier/evaluation.json",
    log:
        f"{LOGS}/train_classifier.log",
    conda:
        ANALYSIS_ENV
    threads: 2
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        seed=STUDY.labelling.seed,
    message:
        "Training the classifier on {input.gold}"
    script:
        f"{SCRIPTS}/train_classifier.py"


rule label_responses:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        responses=f"{MODEL_RESULTS}/responses.parquet",
        classifier=CLASSIFIER if STUDY.labelling.method == "classifier" else [],
    output:
        labels=f"{MODEL_RESULTS}/labels.parquet",
    log:
        f"{LOGS}/label_responses/{{model}}.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        method=STUDY.labelling.method,
    message:
        "Labelling responses of {wildcards.model}"
    script:
        f"{SCRIPTS}/label_responses.py"
