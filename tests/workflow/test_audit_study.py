"""An audit of made-up preference data through the workflow."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml

from refusal_parity.tables import (
    Agreement,
    AuditSample,
    GroupDifferences,
    GroupLedger,
    GroupLosses,
    GroupMeasures,
    Groups,
    PairJudgements,
    PairLedger,
    read_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Workplace

pytestmark = pytest.mark.workflow


def test_an_audit_ends_with_its_report(workplace: Workplace, root: Path) -> None:
    config = yaml.safe_load((root / "config/hh-demo.yaml").read_text("utf-8"))
    # Training the classifier takes a minute, and is tested elsewhere.
    config["labelling"] = {"method": "keyword"}
    result = workplace.run(config=workplace.write_config("audit.yaml", config))
    assert result.returncode == 0, result.stderr[-5000:]
    results = workplace.folder / "results/hh-demo"
    assert result.stderr.endswith((results / "summary.txt").read_text("utf-8"))
    assert "unadjusted: muslim +" in result.stderr
    ledger = read_table(PairLedger, results / "pair_ledger.parquet")
    assert ledger.filter(pl.col("account") != "remark")["n"].sum() == 840
    by_group = read_table(GroupLedger, results / "group_ledger.parquet")
    of_all = by_group.filter(pl.col("account") != "remark", pl.col("group") == "all")
    assert of_all["n"].sum() == 840
    assert read_table(GroupLosses, results / "group_losses.parquet").is_empty()
    shown = read_table(GroupDifferences, results / "group_differences.parquet").filter(
        pl.col("verdict") == "shown", pl.col("reference") == "nobody"
    )
    assert set(shown["group"]) == {"muslim"}
    assert (results / "figures/groups.svg").is_file()
    assert (results / "tables/group_differences.csv").is_file()
    page = (results / "report.html").read_text("utf-8")
    assert "Whom do the answers refuse that people prefer?" in page


def few_gold_rows(place: Workplace) -> str:
    """Every fifth of the starter labels: a classifier in seconds."""
    gold = pl.read_csv(place.root / "data/gold/starter/completion.csv")
    gold.gather_every(5).write_csv(place.folder / "gold.csv")
    return "gold.csv"


REFUSES = "sorry|comfortable|cannot fulfil|apologize|unable"
"""What the made-up refusals have."""


class _Judge(BaseHTTPRequestHandler):
    """Names the second answer where the first refuses, else the first."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        shown = json.loads(asked["messages"][-1]["content"])
        better = "second" if re.search(REFUSES, shown["first"]) else "first"
        content = json.dumps({"better": better})
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": content},
        }
        usage = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
        body = json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def judge() -> Iterator[str]:
    """Address of a judge."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Judge)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_people_and_a_judge(workplace: Workplace, root: Path, judge: str) -> None:
    """People label answers and a judge compares them, through config and files alone."""
    lines = gzip.decompress((root / "data/pairs/planted.jsonl.gz").read_bytes()).splitlines()
    (workplace.folder / "pairs.jsonl").write_bytes(b"\n".join(lines[:300]) + b"\n")
    config: dict[str, Any] = {
        "study": "people",
        "preference": {"path": "pairs.jsonl", "format": "transcripts", "judge_others": 30},
        "labelling": {
            "gold": [few_gold_rows(workplace)],
            "starter": False,
            "human": {"probability": 160, "informative": 4, "floor": 1},
            "judge": {
                "engine": "openai", "base_url": judge, "model": "j",
            },
        },
    }  # fmt: skip
    drawn = workplace.run("draw_human_sample", config=workplace.write_config("c.yaml", config))
    assert drawn.returncode == 0, drawn.stderr[-3000:]
    results = workplace.folder / "results/people"
    sample = read_table(AuditSample, results / "audit/sample.parquet").filter(set="probability")
    assert set(sample["model"]) == {"chosen", "rejected"}
    files = []
    for who in ("a", "b"):
        sheet = (results / "audit/to_label/probability.csv").read_text("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(sheet, newline="")))
        for row in rows:
            row["label"] = "refusal" if re.search(REFUSES, row["response"]) else "answer"
        files.append(f"{who}.csv")
        with (workplace.folder / files[-1]).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    config["labelling"]["human"]["labels"] = files
    result = workplace.run(config=workplace.write_config("c.yaml", config))
    assert result.returncode == 0, result.stderr[-5000:]
    assert "draw_human_sample" not in result.stderr
    assert "labelled, by 2 annotators" in result.stderr
    assert "mentions a group and of 30 others, asked twice" in result.stderr
    measures = read_table(GroupMeasures, results / "group_measures.parquet")
    overall = measures.row(
        by_predicate=(pl.col("measure") == "chosen_refuses") & (pl.col("group") == "all"),
        named=True,
    )
    assert overall["labelled"] == len(sample.filter(model="chosen"))
    assert overall["corrected_low"] < overall["corrected"] < overall["corrected_high"]
    judged = read_table(PairJudgements, results / "pair_judgements.parquet")
    mentioned = read_table(Groups, results / "groups.parquet")["conversations"].sum()
    assert len(judged) == mentioned + 30
    verdicts = set(judged["verdict"].cast(pl.String))
    assert verdicts == {"agrees", "disagrees", "by_position"}
    agreement = read_table(Agreement, results / "audit/agreement.parquet")
    assert {("both", "human"), ("chosen", "human")} <= set(
        agreement.select("model", "yardstick").iter_rows()
    )
    page = (results / "report.html").read_text("utf-8")
    assert "the classifier agrees with people on refusals" in page
    assert "A judge prefers the rejected answer" in page
    assert 'id="pair-data"' in page
