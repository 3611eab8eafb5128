from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.tables import Responses, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Workplace

pytestmark = pytest.mark.workflow


class Server(ThreadingHTTPServer):
    """Counts what it is asked, and fails for one name until it is mended."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: Counter[str] = Counter()
        self.mended = False


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *arguments: Any) -> None:
        """Keep the test's output clean."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = body["messages"][-1]["content"]
        self.server.asked[prompt] += 1
        text = "A loaf of bread." if self.server.mended or "Imke" not in prompt else 7
        message = {"role": "assistant", "content": text}
        data = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _write_study(workplace: Workplace, port: int) -> str:
    folder: Path = workplace.folder
    names = "name_id,name,group\na,Ana,x\nb,Imke,x\nc,Bo,y\nd,Cai,y\n"
    (folder / "names.csv").write_text(names, "utf-8")
    templates = "template_id,family,template\nt,f,[NAME] buys [BLANK]\nu,f,[NAME] eats [BLANK]\n"
    (folder / "templates.csv").write_text(templates, "utf-8")
    server = {"engine": "openai", "base_url": f"http://127.0.0.1:{port}/v1", "model": "m"}
    return workplace.write_config(
        "study.yaml",
        {
            "study": "served",
            "prompts": {"templates": "templates.csv", "names": "names.csv"},
            "samples": 2,
            "models": {"one": server, "two": server | {"model": "n"}},
            "analysis": {"dimensions": {"group": {"reference": "x"}}},
        },
    )


def test_what_failed_is_asked_again_by_one_command(workplace: Workplace) -> None:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        name = _write_study(workplace, server.server_port)
        tables = [f"results/served/models/{key}/responses.parquet" for key in ("one", "two")]
        drawn = workplace.run(*tables, config=name)
        assert drawn.returncode == 0, drawn.stderr
        assert "4 of 16 requests failed, most often with 'content is a number'" in drawn.stderr
        assert "`snakemake --cores 1 ask_again`" in drawn.stderr
        assert server.asked.total() == 32
        server.mended = True
        server.asked.clear()
        again = workplace.run("ask_again", config=name)
        assert again.returncode == 0, again.stderr
        assert server.asked.total() == 8
        assert all("Imke" in prompt for prompt in server.asked)
        for table in tables:
            rows = read_table(Responses, workplace.folder / table)
            assert rows["status"].cast(pl.String).unique().to_list() == ["ok"]
        # What was asked again is not drawn anew, and what hangs on it is made.
        dry = workplace.run("--dry-run", config=name)
        assert dry.returncode == 0, dry.stderr
        assert "ask_server" not in dry.stdout + dry.stderr
        server.shutdown()
