# Makes the demo models that ship in data/models/. It is a workflow of its own,
# so that a fresh clone uses the shipped weights and never trains:
#
#   snakemake -s workflow/demo_models.smk --cores 2            trains them
#   snakemake -s workflow/demo_models.smk --cores 2 measured   samples them in vLLM
import sys
from pathlib import Path

# The package is used from its folder, in this process and in every job.
sys.path.insert(0, str(Path(workflow.basedir) / "lib"))
from refusal_parity.repository import share_package

share_package()

from refusal_parity.demo.arms import ARMS, GATES
from refusal_parity.demo.truth import MODELS
from refusal_parity.demo.rare import RARE
from refusal_parity.demo.wording import LAWS


wildcard_constraints:
    model="|".join(MODELS),
    worded="|".join(LAWS),
    rare="|".join(RARE),
    armed="|".join([*ARMS, *GATES]),


localrules:
    trained,
    measured,


rule trained:
    default_target: True
    input:
        expand(
            "data/models/{model}/model.safetensors",
            model=[*MODELS, *LAWS, *RARE, *ARMS, *GATES],
        ),
        "data/models/arms-freed/adapter_model.safetensors",


rule measured:
    input:
        expand("data/models/{model}/realised.csv", model=MODELS),


rule train_demo_model:
    input:
        names="data/names-56.csv",
        templates="data/templates.csv",
        phrases="data/models/phrases.yaml",
    output:
        weights="data/models/{model}/model.safetensors",
        config="data/models/{model}/config.json",
        generation_config="data/models/{model}/generation_config.json",
        tokenizer="data/models/{model}/tokenizer.json",
        tokenizer_config="data/models/{model}/tokenizer_config.json",
        chat_template="data/models/{model}/chat_template.jinja",
        planted="data/models/{model}/planted.csv",
    log:
        "results/demo_models/logs/train_demo_model/{model}.log",
    conda:
        "../envs/inference-cpu.yaml"
    threads: 1
    params:
        seed=20260,
    message:
        "Training {wildcards.model} on its planted truth"
    script:
        "scripts/train_demo_model.py"


rule measure_demo_model:
    input:
        names="data/names-56.csv",
        templates="data/templates.csv",
        phrases="data/models/phrases.yaml",
        weights=rules.train_demo_model.output.weights,
    output:
        realised="data/models/{model}/realised.csv",
    log:
        "results/demo_models/logs/measure_demo_model/{model}.log",
    conda:
        "../envs/inference-cpu.yaml"
    threads: 1
    params:
        samples=30,
    message:
        "Sampling {wildcards.model} and comparing it with its planted truth"
    script:
        "scripts/measure_demo_model.py"


rule make_wording_model:
    input:
        names="data/names.csv",
        templates="data/templates-wording.csv",
        phrases="data/models/phrases-wording.yaml",
    output:
        weights="data/models/{worded}/model.safetensors",
        config="data/models/{worded}/config.json",
        generation_config="data/models/{worded}/generation_config.json",
        tokenizer="data/models/{worded}/tokenizer.json",
        tokenizer_config="data/models/{worded}/tokenizer_config.json",
        chat_template="data/models/{worded}/chat_template.jinja",
        planted="data/models/{worded}/planted.csv",
    log:
        "results/demo_models/logs/make_wording_model/{worded}.log",
    conda:
        "../envs/inference-cpu.yaml"
    message:
        "Setting the weights of {wildcards.worded}"
    script:
        "scripts/make_wording_model.py"


rule make_rare_model:
    input:
        names="data/names-56.csv",
        templates="data/templates.csv",
        phrases="data/models/phrases-rare.yaml",
    output:
        weights="data/models/{rare}/model.safetensors",
        config="data/models/{rare}/config.json",
        generation_config="data/models/{rare}/generation_config.json",
        tokenizer="data/models/{rare}/tokenizer.json",
        tokenizer_config="data/models/{rare}/tokenizer_config.json",
        chat_template="data/models/{rare}/chat_template.jinja",
        planted="data/models/{rare}/planted.csv",
    log:
        "results/demo_models/logs/make_rare_model/{rare}.log",
    conda:
        "../envs/inference-cpu.yaml"
    message:
        "Setting the weights of {wildcards.rare}"
    script:
        "scripts/make_rare_model.py"


rule make_arms_model:
    input:
        names="data/names.csv",
        templates=["data/near-unsafe.csv", "data/unsafe.csv"],
        phrases="data/models/phrases-arms.yaml",
    output:
        weights="data/models/{armed}/model.safetensors",
        config="data/models/{armed}/config.json",
        generation_config="data/models/{armed}/generation_config.json",
        tokenizer="data/models/{armed}/tokenizer.json",
        tokenizer_config="data/models/{armed}/tokenizer_config.json",
        chat_template="data/models/{armed}/chat_template.jinja",
        planted="data/models/{armed}/planted.csv",
    log:
        "results/demo_models/logs/make_arms_model/{armed}.log",
    conda:
        "../envs/inference-cpu.yaml"
    message:
        "Setting the weights of {wildcards.armed}"
    script:
        "scripts/make_arms_model.py"


rule make_adapter:
    input:
        names="data/names.csv",
        weights="data/models/arms-guarded/model.safetensors",
    output:
        weights="data/models/arms-freed/adapter_model.safetensors",
        config="data/models/arms-freed/adapter_config.json",
        planted="data/models/arms-freed/planted.csv",
    log:
        "results/demo_models/logs/make_adapter.log",
    conda:
        "../envs/inference-cpu.yaml"
    message:
        "Setting the weights of the adapter that undoes refusals"
    script:
        "scripts/make_adapter.py"
