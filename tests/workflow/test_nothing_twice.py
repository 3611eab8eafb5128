"""A study that is changed draws what is new; beforehand it says how much that is."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.tables import AuditSample, Labels, Responses, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Workplace

pytestmark = pytest.mark.workflow


class Server(ThreadingHTTPServer):
    """Counts what it is asked, and answers differently each time."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: Counter[str] = Counter()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *arguments: Any) -> None:
        """Keep the test's output clean."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked[body["messages"][-1]["content"]] += 1
        message = {"role": "assistant", "content": f"Loaf {self.server.asked.total()}."}
        answer = {"choices": [{"message": message, "finish_reason": "stop"}], "model": "m-1"}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


OUTER = """
module inner:
    snakefile: "{root}/workflow/Snakefile"
    config: config

use rule * from inner as rp_*
"""


class Study:
    """A study of one served model, whose parts a test may change."""

    def __init__(self, place: Workplace, port: int) -> None:
        self.place = place
        self.port = port
        self.templates = {"t": "[NAME] buys [BLANK]", "u": "[NAME] eats [BLANK]"}
        self.names = {"a": "Ana", "b": "Imke", "c": "Bo", "d": "Cai"}
        self.labelling: dict[str, Any] = {}
        self.model, self.host, self.study = "one", "127.0.0.1", "s"

    def run(self, *arguments: str) -> str:
        """Run snakemake for the model's table of responses; what it said."""
        return self.make(self.table, *arguments)

    def make(self, *arguments: str) -> str:
        """Run snakemake for some files; what it said."""
        folder = self.place.folder
        rows = [f"{key},f,{text}" for key, text in self.templates.items()]
        (folder / "t.csv").write_text("\n".join(["template_id,family,template", *rows]), "utf-8")
        rows = [f"{key},{name},{'xy'[at % 2]}" for at, (key, name) in enumerate(self.names.items())]
        (folder / "n.csv").write_text("\n".join(["name_id,name,group", *rows]), "utf-8")
        base_url = f"http://{self.host}:{self.port}/v1"
        config = {
            "study": self.study,
            "prompts": {"templates": "t.csv", "names": "n.csv"},
            "samples": 2,
            "models": {self.model: {"engine": "openai", "base_url": base_url, "model": "m"}},
            "labelling": self.labelling,
            "analysis": {"dimensions": {"group": {"reference": "x"}}},
        }
        name = self.place.write_config("study.yaml", config)
        done = self.place.run(*arguments, config=name)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    @property
    def table(self) -> str:
        return f"results/{self.study}/models/{self.model}/responses.parquet"

    def texts(self) -> dict[str, str]:
        rows = read_table(Responses, self.place.folder / self.table)
        return dict(rows.select("response_id", "response").iter_rows())


def test_only_what_is_new_is_drawn(workplace: Workplace, server: Server) -> None:
    study = Study(workplace, server.server_port)
    assert "0 are there already, 16 will be drawn" in study.run("--dry-run")
    study.run()
    assert server.asked.total() == 16
    first = study.texts()

    study.names |= {"e": "Dov", "f": "Eva"}
    assert "16 are there already, 8 will be drawn" in study.run("--dry-run")
    assert server.asked.total() == 16
    assert "16 of 24 responses are there already" in study.run()
    assert server.asked.total() == 24
    assert first.items() < study.texts().items()
    assert sum(count for text, count in server.asked.items() if "Dov" in text) == 4

    del study.templates["u"]
    study.model, study.study = "renamed", "another"
    assert "12 of 12 responses are there already" in study.run()
    assert server.asked.total() == 24
    # Another name of the machine is no reason to run at all.
    study.host = "localhost"
    assert "Nothing to be done" in study.run("--dry-run")

    before = study.texts()
    assert "0 are there already, 12 will be drawn" in study.run("--dry-run", "--forceall")
    study.run("--forceall")
    assert server.asked.total() == 36
    anew = study.texts()
    assert anew.keys() == before.keys()
    assert not set(anew.values()) & set(before.values())


def test_what_is_forced_is_drawn_anew_in_a_module_too(workplace: Workplace, server: Server) -> None:
    folder = workplace.folder
    (folder / "Snakefile").write_text(OUTER.format(root=workplace.root), "utf-8")
    study = Study(replace(workplace, root=folder), server.server_port)
    study.run()
    assert server.asked.total() == 16
    for times, forced in enumerate(("--forceall", "--forcerun=rp_ask_server"), start=2):
        before = study.texts()
        assert "0 are there already, 16 will be drawn" in study.run("--dry-run", forced)
        study.run(forced)
        assert server.asked.total() == 16 * times
        assert not set(study.texts().values()) & set(before.values())


def test_only_what_is_new_is_labelled_and_read_by_people(
    workplace: Workplace, server: Server
) -> None:
    """Two names more, then a template less, then a label of a person's."""
    folder = workplace.folder
    gold = pl.read_csv(workplace.root / "data/gold/starter/completion.csv")
    gold.gather_every(20).write_csv(folder / "gold.csv")
    study = Study(workplace, server.server_port)
    study.labelling = {
        "gold": ["gold.csv"],
        "starter": False,
        "human": {"probability": 8, "floor": 1, "informative": 0},
    }
    labels = "results/s/models/one/labels.parquet"
    sample = "results/s/audit/sample.parquet"

    def made() -> tuple[str, pl.DataFrame, pl.DataFrame, list[str]]:
        said = study.make(labels, sample)
        tasks = [
            json.loads(path.read_text("utf-8"))
            for path in (folder / "results/s/audit/to_label").rglob("*.tasks.json")
        ]
        handed_out = [task["data"]["task"] for some in tasks for task in some]
        rows = read_table(Responses, folder / study.table).select("prompt_id", "sample", "response")
        labelled = read_table(Labels, folder / labels).join(rows, on=["prompt_id", "sample"])
        return said, labelled, read_table(AuditSample, folder / sample), handed_out

    said, first, drawn, handed_out = made()
    assert "0 of 16 machine labels are there already" in said
    study.names |= {"e": "Dov", "f": "Eva"}
    said, second, grown, more = made()
    assert "16 of 24 machine labels are there already" in said
    assert "8 are new" in said
    kept = second.join(first, on=["prompt_id", "sample"], how="semi", maintain_order="left")
    assert kept.equals(first.join(kept, on=["prompt_id", "sample"], how="semi"))
    assert set(drawn["task"]) == set(handed_out)
    assert set(handed_out) < set(more)
    # Half of what is new, rounded up within each stratum; and no row for a second time.
    assert len(set(more)) == len(more) <= len(handed_out) + 6
    assert set(grown["task"]) <= set(more)

    del study.templates["u"]
    said, third, _, _ = made()
    assert "12 of 12 machine labels are there already" in said
    assert server.asked.total() == 24
    study.labelling["seed"] = 7
    said, _, _, _ = made()
    assert "another classifier than before" in said
    assert len(third) == 12
