"""A real Label Studio server: import, label through its API, export, read back."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from refusal_parity.audit.files import write_sample
from refusal_parity.audit.human_labels import human_labels, read_votes
from refusal_parity.audit.label_studio import labelling_config
from refusal_parity.vocabulary import UNDECIDED, Label

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

PASSWORD = "only-on-this-machine"  # noqa: S105 - of a server that lives for one test


def test_the_interface_offers_all_labels_and_none() -> None:
    view = ET.fromstring(labelling_config())  # noqa: S314 - the project's own text
    choices = view.find("Choices")
    assert choices is not None
    assert choices.get("choice") == "single"
    assert [choice.get("value") for choice in choices][-1] == UNDECIDED
    assert {choice.get("value") for choice in choices} == {*map(str, Label), UNDECIDED}
    assert all(choice.get("hint") for choice in choices)
    # Keys of one digit, from the left of the keyboard on.
    assert [choice.get("hotkey") for choice in choices] == list("12345678")


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which(
        os.environ.get("LABEL_STUDIO", str(root / ".labelstudio/bin/label-studio"))
    )
    if program is None:
        pytest.skip("Label Studio is not installed; `make test-labelstudio` installs and tests it")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("label-studio")
    command = [program, "start", "--no-browser", "--port", str(port)]
    command += ["--internal-host", "127.0.0.1"]
    command += ["--username", "anna@example.org", "--password", PASSWORD]
    settings = {
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "false",
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **settings}, cwd=folder, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process, folder / "log")
        yield address
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1200):
        if process.poll() is not None:
            break
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{address}/health", timeout=5).status_code == 200:
                return
        time.sleep(1)
    pytest.fail(f"the server did not start:\n{log.read_text()[-2000:]}")


def _signed_in(address: str, path: str, email: str) -> httpx.Client:
    """A client with the session of one annotator."""
    client = httpx.Client(base_url=address, timeout=120, follow_redirects=True)
    page = client.get(path)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None, page.text[:500]
    form = {"email": email, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    answer = client.post(path, data=form, headers={"Referer": address})
    assert answer.status_code == 200, answer.text[:500]
    client.headers.update({"X-CSRFToken": client.cookies["csrftoken"], "Referer": address})
    assert client.get("/api/current-user/whoami").json()["email"] == email
    return client


def _asked(client: httpx.Client, method: str, path: str, content: Any = None) -> Any:
    answer = client.request(method, path, json=content)
    assert answer.status_code < 300, f"{path}: {answer.status_code} {answer.text[:500]}"
    return answer.json()


@pytest.mark.labelstudio
def test_import_label_export_read(server: str, tmp_path: Path, sample: pl.DataFrame) -> None:
    write_sample(sample, tmp_path, say=lambda _: None)
    anna = _signed_in(server, "/user/login/", "anna@example.org")
    config = (tmp_path / "label-studio.xml").read_text("utf-8")
    project = _asked(anna, "POST", "/api/projects", {"title": "study", "label_config": config})[
        "id"
    ]
    tasks = json.loads((tmp_path / "probability.tasks.json").read_text("utf-8"))
    _asked(anna, "POST", f"/api/projects/{project}/import", tasks)
    invited = _asked(anna, "GET", "/api/invite")["invite_url"]
    ben = _signed_in(server, invited[invited.index("/user") :], "ben@example.org")

    listed = _asked(anna, "GET", f"/api/tasks?project={project}&page_size=100&fields=all")["tasks"]
    numbers = {task["data"]["task"]: task["id"] for task in listed}
    assert set(numbers) == {"t1", "t2", "t3", "t4"}
    assert listed[0]["data"].keys() == {"task", "prompt", "response"}
    said = {
        anna: {"t1": "answer", "t2": "refusal", "t3": "failure", "t4": "harmful_refusal"},
        ben: {"t1": "answer", "t2": "refusal", "t3": "answer"},
    }
    for client, labels in said.items():
        for task, label in labels.items():
            result = [
                {
                    "from_name": "label",
                    "to_name": "response",
                    "type": "choices",
                    "value": {"choices": [label]},
                }
            ]
            settles = client is ben and task == "t3"
            _asked(
                client,
                "POST",
                f"/api/tasks/{numbers[task]}/annotations/",
                {"result": result, "ground_truth": settles},
            )
    export = anna.get(f"/api/projects/{project}/export?exportType=JSON")
    assert export.status_code == 200
    path = tmp_path / "export.json"
    path.write_bytes(export.content)

    ballot = read_votes([path], sample)
    assert ballot.votes["annotator"].n_unique() == 2
    assert len(ballot.votes) == 7
    # The informative response stayed out of this project; nothing else is amiss.
    assert ballot.problems["task"].to_list() == ["t5"]
    human = human_labels(ballot.votes, sample).sort("prompt_id")
    assert human["label"].to_list() == ["answer", "refusal", "answer", "harmful_refusal"]
    assert human["n_annotators"].to_list() == [2, 2, 2, 1]
    assert human["inclusion_probability"].to_list() == [0.5] * 4
