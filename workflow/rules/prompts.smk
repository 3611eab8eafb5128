if STUDY.prompts.list is not None:

    rule list_prompts:
        input:
            list=STUDY.prompts.list,
        output:
            prompts=f"{RESULTS}/prompts.parquet",
        log:
            f"{LOGS}/list_prompts.log",
        conda:
            ANALYSIS_ENV
        resources:
            mem_mb=1000,
            runtime=minutes(10),
        params:
            arms=STUDY.prompts.model_dump(mode="json")["arms"],
            # Of a function's value Snakemake fills in nothing.
            columns=lambda wildcards: STUDY.prompts.columns,
            sheet=lambda wildcards: STUDY.prompts.sheet,
        message:
            "Taking the prompts from {input.list}"
        script:
            f"{SCRIPTS}/list_prompts.py"

elif STUDY.prompts.from_model is None:

    rule expand_prompts:
        input:
            templates=STUDY.prompts.template_files,
            names=STUDY.prompts.names,
        output:
            prompts=f"{RESULTS}/prompts.parquet",
        log:
            f"{LOGS}/expand_prompts.log",
        conda:
            ANALYSIS_ENV
        resources:
            mem_mb=1000,
            runtime=minutes(10),
        params:
            **stage_of_prompts(),
            arms=STUDY.prompts.model_dump(mode="json")["arms"],
            # Of a function's value Snakemake fills in nothing.
            group_column=lambda wildcards: STUDY.prompts.group_column,
        message:
            "Expanding templates x names x arms"
        script:
            f"{SCRIPTS}/expand_prompts.py"

else:

    rule import_prompts:
        input:
            file=STUDY.models[STUDY.prompts.from_model].path,
        output:
            prompts=f"{RESULTS}/prompts.parquet",
        log:
            f"{LOGS}/import_prompts.log",
        conda:
            ANALYSIS_ENV
        resources:
            mem_mb=1000,
            runtime=minutes(10),
        params:
            format=STUDY.models[STUDY.prompts.from_model].format,
        message:
            "Taking the prompts from {input.file}"
        script:
            f"{SCRIPTS}/import_prompts.py"
