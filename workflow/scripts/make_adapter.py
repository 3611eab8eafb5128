from pathlib import Path

from transformers import LlamaForCausalLM

from refusal_parity.console import job
from refusal_parity.demo.arms_recipe import make_adapter

with job("adapter", snakemake.log[0]):
    base = Path(snakemake.input.weights).parent
    make_adapter(
        network=LlamaForCausalLM.from_pretrained(base),
        base=base,
        names=Path(snakemake.input.names),
        directory=Path(snakemake.output.weights).parent,
    )
