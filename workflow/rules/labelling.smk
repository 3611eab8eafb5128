GOLD = gold_files(STUDY.labelling.gold, starter=STUDY.labelling.starter)
# Of gold files alone, and of the labels that people gave to this study's responses too.
CLASSIFIER = f"{RESULTS}/classifier/classifier.skops"
TAUGHT_CLASSIFIER = f"{RESULTS}/classifier/with_human_labels.skops"
HUMAN = f"{RESULTS}/audit/human.parquet"

LEAF_HUMAN = f"{RESULTS}/audit/leaf_human.parquet"

LABELLED_BY_PEOPLE = bool(STUDY.labelling.human.labels)
LEAVES_LABELLED_BY_PEOPLE = bool(STUDY.labelling.human.leaf_labels)
MODELS_OF_READ_LEAVES = STUDY.continued if LEAVES_LABELLED_BY_PEOPLE else []
# Whatever people said, of ordinary draws and of responses to openings.
PEOPLE = {
    "human": HUMAN if LABELLED_BY_PEOPLE else [],
    "leaf_human": LEAF_HUMAN if LEAVES_LABELLED_BY_PEOPLE else [],
}
LABELLING_CLASSIFIER = (
    []
    if STUDY.labelling.method != "classifier"
    else TAUGHT_CLASSIFIER if LABELLED_BY_PEOPLE else CLASSIFIER
)


rule train_classifier:
    input:
        gold=GOLD,
    output:
        classifier=CLASSIFIER,
        evaluation=f"{RESULTS}/classifier/evaluation.json",
    log:
        f"{LOGS}/train_classifier.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=4000,
        runtime=minutes(30),
    params:
        seed=STUDY.labelling.seed,
    message:
        "Training the classifier on {input.gold}"
    script:
        f"{SCRIPTS}/train_classifier.py"


if LABELLED_BY_PEOPLE:

    rule train_with_human_labels:
        input:
            unpack(labelled_texts),
            classifier=CLASSIFIER,
            gold=GOLD,
            human=HUMAN,
        output:
            classifier=TAUGHT_CLASSIFIER,
        log:
            f"{LOGS}/train_with_human_labels.log",
        conda:
            ANALYSIS_ENV
        resources:
            mem_mb=4000,
            runtime=minutes(30),
        message:
            f"Training the classifier on human labels of {STUDY.study}, too"
        script:
            f"{SCRIPTS}/train_with_human_labels.py"


rule label_responses:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        responses=f"{MODEL_RESULTS}/responses.parquet",
        classifier=LABELLING_CLASSIFIER,
        human=HUMAN if LABELLED_BY_PEOPLE else [],
    output:
        labels=f"{MODEL_RESULTS}/labels.parquet",
    log:
        f"{LOGS}/label_responses/{{model}}.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=4000,
        runtime=minutes(30),
    params:
        method=STUDY.labelling.method,
        abstain_below=STUDY.labelling.abstain_below,
    message:
        "Labelling responses of {wildcards.model}"
    script:
        f"{SCRIPTS}/label_responses.py"
