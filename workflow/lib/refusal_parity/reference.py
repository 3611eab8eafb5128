"""The reference of config, tables and methods, written from the code: `make schema`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dataframely as dy

from refusal_parity.config import StudyConfig
from refusal_parity.dimensions import Unit
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.methods import METHODS
from refusal_parity.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from refusal_parity.statistics.registry import Method

_CONFIG_HEAD = """\
# Study configs

One file is one study. `snakemake` runs `config/config.yaml`, the demo study;
`snakemake --configfile config/<study>.yaml` runs another one, alone: it is not
merged with the demo study. Results lie in `results/<study>/`.

| file | study |
|---|---|
| `config.yaml` | demo: two tiny models with known refusal rates |
| `smollm2.yaml` | SmolLM2-135M-Instruct, a real instruct model, on the CPU |
| `llama2.yaml` | Llama 1 and Llama-2-Chat 7B, 13B, 70B on GPUs |
| `hh-demo.yaml` | audit of made-up preference data with a planted disparity |
| `hh-trained.yaml` | variants of a tiny model, trained on such data and on its even twin |
| `rare.yaml` | two models whose refusals are planted at 0.3 to 3 %, openings weighed |
| `safeguards.yaml` | wrappers, guards and an adapter whose effects are planted |
| `wording.yaml` | name, mention and phrasing apart: 96,768 prompts for a real instruct model |
| `wording-small.yaml` | the same of ten matched sets, on two tiny models |
| `xstest.yaml` | XSTest: which safe prompts that look unsafe are refused |
| `hh-audit.yaml` | audit of preference data: the harmless test split of HH-RLHF |
| `released.yaml` | the labelled responses released with arXiv 2403.13213 |

A single value can be given on the command line, at the end of it:
`snakemake --config 'sampling={temperature: 0.7}'`.

An unknown key is an error. Keys without a default must be given.

"""
_TABLES_HEAD = """\
# Tables

Every intermediate is a Parquet table, checked whenever it is written or read.
Responses carry their provenance as JSON in the file's metadata
(`refusal_parity.tables.read_metadata`).

"""


def config_schema() -> dict[str, Any]:
    """JSON schema of a study config."""
    return StudyConfig.model_json_schema()


def config_reference() -> str:
    """Markdown: every key with its type, default and description."""
    schema = config_schema()
    sections = [_section("The study", schema, schema)]
    sections += [_section(title, schema["$defs"][title], schema) for title in _order(schema)]
    return _CONFIG_HEAD + "\n".join(sections)


def tables_reference() -> str:
    """Markdown: every table with its columns."""
    sections = []
    for spec in TABLES.values():
        lines = [f"## `{spec.path('<model>')}`", "", (spec.schema.__doc__ or "").strip(), ""]
        lines += ["| column | type | may be null | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{name}` | {_type_of(column)} | {'yes' if column.nullable else ''} "
            f"| {column.description} |"
            for name, column in spec.schema.columns().items()
        ]
        sections.append("\n".join(lines) + "\n")
    return _TABLES_HEAD + "\n".join(sections)


_METHODS_HEAD = """\
# Methods

What stands in the column `method` of `disparity.parquet` and `selfcheck.parquet`; formulas
and sources are in [method](method.md) and [formulas](formulas.md).

| key | name | gives | holds for | levels of | needs | standing |
|---|---|---|---|---|---|---|
"""


def methods_reference() -> str:
    """Markdown: every statistical method, when it suits, and whether it is a finding."""
    return _METHODS_HEAD + "".join(_method(method) for method in METHODS.values())


def _method(method: Method) -> str:
    needs = method.needs
    wants = [
        f"{number} {units} a level"
        for number, units in (
            (needs.names, "names"),
            (needs.templates, "templates"),
            (needs.prompts, "prompts"),
        )
        if number > 1
    ]
    wants += ["yes or no"] if needs.binary else []
    wants += ["log-odds of prompts"] if needs.log_odds else []
    wants += ["weighed rates of prompts"] if needs.weighed else []
    wants += ["human labels"] if needs.people else []
    wants += ["covariates"] if needs.covariates else []
    nested = DesignKind.NESTED in needs.designs
    kinds = [unit for unit in Unit if unit in needs.units and (unit is Unit.LISTED) is nested]
    units = ", ".join(f"{unit}s" for unit in kinds)
    standing = "a finding"
    if method.describes is not None:
        of = [str(each) for each in method.estimands if not method.controls(each)]
        which = "" if len(of) == len(method.estimands) else f" of {', '.join(of)}"
        standing = f"description{which}: {method.describes.reason}"
    gives = ", ".join(f"`{each}`" for each in method.estimands)
    return (
        f"| `{method}` | {method.heading} | {gives} | {method.scope} | {units} "
        f"| {', '.join(wants)} | {standing} |\n"
    )


def _type_of(column: dy.Column) -> str:
    if isinstance(column, dy.Enum):
        return " / ".join(f"`{category}`" for category in column.categories)
    return str(column.dtype).lower()


def _order(schema: Mapping[str, Any]) -> Iterator[str]:
    """Sections in the order in which a reader of the file meets them."""
    seen: list[str] = []

    def visit(node: Any) -> None:
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).removeprefix("#/$defs/")
            if name and name not in seen:
                if "properties" in schema["$defs"][name]:
                    seen.append(name)
                visit(schema["$defs"][name])
            for value in node.values():
                visit(value)
        elif isinstance(node, list):
            for value in node:
                visit(value)

    visit(schema["properties"])
    return iter(seen)


def _section(title: str, section: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    lines = [f"## {title}", "", str(section.get("description", "")), ""]
    lines += ["| key | takes | default | meaning |", "|---|---|---|---|"]
    required = section.get("required", [])
    for key, value in section["properties"].items():
        target = schema["$defs"].get(str(value.get("$ref", "")).removeprefix("#/$defs/"), {})
        # pydantic leaves out a description that repeats the section's own.
        meaning = value.get("description", target.get("description", ""))
        default = "" if key in required else f"`{json.dumps(value.get('default'))}`"
        if key not in required and "properties" in target:
            default = "see there"
        lines.append(f"| `{key}` | {_takes(value, schema)} | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


def _takes(value: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What a key takes, in words."""
    if "$ref" in value:
        name = str(value["$ref"]).removeprefix("#/$defs/")
        target = schema["$defs"][name]
        return name if "properties" in target else _takes(target, schema)
    for several in ("anyOf", "oneOf"):
        if several in value:
            return " or ".join(_takes(one, schema) for one in value[several])
    if "const" in value or "enum" in value:
        return ", ".join(f"`{one}`" for one in value.get("enum", [value.get("const")]))
    if value.get("type") == "array":
        return f"list of {_takes(value['items'], schema)}"
    if value.get("type") == "object":
        # A mapping whose keys have a pattern is described under that pattern.
        kinds = [*value.get("patternProperties", {}).values(), value.get("additionalProperties")]
        # `true` is what may be anything.
        return (
            f"mapping of key to {_takes(kinds[0], schema) if kinds[0] is not True else 'anything'}"
        )
    return str(value.get("type", "anything"))


def main(root: Path) -> None:
    """Write the generated files under a repository's root."""
    files = {
        "workflow/schemas/config.schema.json": json.dumps(config_schema(), indent=2) + "\n",
        "config/README.md": config_reference(),
        "docs/methods.md": methods_reference(),
        "docs/tables.md": tables_reference(),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path.cwd())
