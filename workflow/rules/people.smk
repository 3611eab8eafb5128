AUDIT = f"{RESULTS}/audit"


if LABELLED_BY_PEOPLE:

    rule read_human_labels:
        input:
            sample=f"{AUDIT}/sample.parquet",
            files=STUDY.labelling.human.labels,
        output:
            human=HUMAN,
            votes=f"{AUDIT}/votes.parquet",
            problems=f"{AUDIT}/problems.parquet",
        log:
            f"{LOGS}/read_human_labels.log",
        conda:
            ANALYSIS_ENV
        resources:
            mem_mb=2000,
            runtime=minutes(10),
        params:
            # Beside the sheets of the sample: one for a third person.
            sheets=f"{AUDIT}/to_label",
            show_votes=STUDY.labelling.human.show_votes,
        message:
            "Reading what people labelled: {input.files}"
        script:
            f"{SCRIPTS}/read_human_labels.py"


if LEAVES_LABELLED_BY_PEOPLE:

    rule read_leaf_labels:
        input:
            sample=f"{AUDIT}/leaf_sample.parquet",
            files=STUDY.labelling.human.leaf_labels,
        output:
            human=LEAF_HUMAN,
            votes=f"{AUDIT}/leaf_votes.parquet",
            problems=f"{AUDIT}/leaf_problems.parquet",
        log:
            f"{LOGS}/read_leaf_labels.log",
        conda:
            ANALYSIS_ENV
        resources:
            mem_mb=2000,
            runtime=minutes(10),
        params:
            sheets=f"{AUDIT}/leaf_to_label",
            show_votes=STUDY.labelling.human.show_votes,
            leaves=True,
        message:
            "Reading what people labelled of responses to openings: {input.files}"
        script:
            f"{SCRIPTS}/read_human_labels.py"
