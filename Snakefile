import atexit
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

# The package is used from its folder, in this process and in every job.
sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "lib"))
from refusal_parity.repository import share_package

share_package()

# A study given by --configfile replaces the demo study rather than being
# merged with it.
if "study" not in config:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/prompts.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/inference.smk"
include: "workflow/rules/labelling.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/report.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        f"{RESULTS}/report.html",
        (
            expand(f"{MODEL_RESULTS}/mixed_models.parquet", model=MODELS)
            if STUDY.analysis.mixed_model
            else []
        ),


# At exit, so that it is the last thing to be read.
onsuccess:
    atexit.register(print_summary)
