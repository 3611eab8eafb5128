"""Let Snakemake plan without pandas: `make install` runs this in the new environment.

Snakemake imports every plugin whenever it starts, and the one for SLURM imports
pandas for a report of its own that is off unless asked for. That is a tenth of
the time that a dry-run of 200 models takes, and a sixth with one model. After
this the plugin imports pandas where it writes that report. In an environment
that was made otherwise everything works too, only slower.
"""

from __future__ import annotations

import py_compile
from importlib.util import find_spec
from pathlib import Path

AT_START = "from .efficiency_report import create_efficiency_report\n"
CALL = "            create_efficiency_report(\n"
AT_CALL = f"            {AT_START}\n{CALL}"


def main() -> None:
    """Move the import in the installed plugin, once; one that has changed is left alone."""
    spec = find_spec("snakemake_executor_plugin_slurm")
    if spec is None or spec.origin is None:
        raise SystemExit("snakemake-executor-plugin-slurm is not installed here")
    plugin = Path(spec.origin)
    source = plugin.read_text(encoding="utf-8")
    if source.count(AT_START) != 1 or source.count(CALL) != 1 or AT_CALL in source:
        return
    # Under a new name first: the file may be one with the copy in uv's cache.
    deferred = plugin.with_suffix(".new")
    deferred.write_text(source.replace(AT_START, "").replace(CALL, AT_CALL), encoding="utf-8")
    deferred.replace(plugin)
    py_compile.compile(str(plugin), doraise=True)


if __name__ == "__main__":
    main()
