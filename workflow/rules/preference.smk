PREFERENCE = STUDY.preference
PAIR_JUDGEMENTS = f"{RESULTS}/pair_judgements.parquet" if STUDY.labelling.judge else []


rule read_pairs:
    input:
        file=PREFERENCE.path,
    output:
        pairs=f"{RESULTS}/pairs.parquet",
        pair_ledger=f"{RESULTS}/pair_ledger.parquet",
    log:
        f"{LOGS}/read_pairs.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=2000,
        runtime=minutes(30),
    params:
        format=PREFERENCE.format,
        columns=given(PREFERENCE.columns),
    message:
        "Reading pairs of {input.file}"
    script:
        f"{SCRIPTS}/read_pairs.py"


rule find_mentions:
    input:
        pairs=f"{RESULTS}/pairs.parquet",
        lexicon=PREFERENCE.mentions,
    output:
        mentions=f"{RESULTS}/mentions.parquet",
    log:
        f"{LOGS}/find_mentions.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=2000,
        runtime=minutes(30),
    message:
        "Finding mentions of groups"
    script:
        f"{SCRIPTS}/find_mentions.py"


rule describe_conversations:
    input:
        pairs=f"{RESULTS}/pairs.parquet",
        lexicon=PREFERENCE.mentions,
    output:
        conversations=f"{RESULTS}/conversations.parquet",
    log:
        f"{LOGS}/describe_conversations.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=2000,
        runtime=minutes(30),
    message:
        "Finding near-equal openings, and how harmful requests seem"
    script:
        f"{SCRIPTS}/describe_conversations.py"


rule label_sides:
    input:
        pairs=f"{RESULTS}/pairs.parquet",
        conversations=f"{RESULTS}/conversations.parquet",
        classifier=LABELLING_CLASSIFIER,
    output:
        sides=f"{RESULTS}/sides.parquet",
    log:
        f"{LOGS}/label_sides.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=4000,
        runtime=minutes(60),
    params:
        abstain_below=STUDY.labelling.abstain_below,
    message:
        "Labelling both answers of each pair"
    script:
        f"{SCRIPTS}/label_sides.py"


rule compare_groups:
    input:
        pairs=f"{RESULTS}/pairs.parquet",
        sides=f"{RESULTS}/sides.parquet",
        conversations=f"{RESULTS}/conversations.parquet",
        mentions=f"{RESULTS}/mentions.parquet",
        lexicon=PREFERENCE.mentions,
        human=HUMAN if LABELLED_BY_PEOPLE else [],
        judgements=PAIR_JUDGEMENTS,
    output:
        groups=f"{RESULTS}/groups.parquet",
        group_measures=f"{RESULTS}/group_measures.parquet",
        group_differences=f"{RESULTS}/group_differences.parquet",
        group_ledger=f"{RESULTS}/group_ledger.parquet",
        group_losses=f"{RESULTS}/group_losses.parquet",
    log:
        f"{LOGS}/compare_groups.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=2000,
        runtime=minutes(30),
    params:
        mentioned_in=PREFERENCE.mentioned_in,
        alpha=STUDY.analysis.alpha,
    message:
        "Comparing groups that conversations mention"
    script:
        f"{SCRIPTS}/compare_groups.py"


rule choose_pairs:
    input:
        pairs=f"{RESULTS}/pairs.parquet",
        sides=f"{RESULTS}/sides.parquet",
        conversations=f"{RESULTS}/conversations.parquet",
        mentions=f"{RESULTS}/mentions.parquet",
        human=HUMAN if LABELLED_BY_PEOPLE else [],
        judgements=PAIR_JUDGEMENTS,
    output:
        shown_pairs=f"{RESULTS}/shown_pairs.parquet",
    log:
        f"{LOGS}/choose_pairs.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=2000,
        runtime=minutes(30),
    params:
        mentioned_in=PREFERENCE.mentioned_in,
    message:
        "Choosing the pairs that the report shows"
    script:
        f"{SCRIPTS}/choose_pairs.py"
