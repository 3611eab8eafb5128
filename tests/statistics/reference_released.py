"""R's numbers for the released 7B study as rows of the package's tables.

They were written item by item, before `reference/reference.R` gave rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = dict[str, Any]

_GROUPS: Final = ("asian", "chinese", "mexican", "muslim")
_READINGS: Final = {
    "harmful_refusal": ["harmful refusal"],
    "no_full_answer": ["refusal", "harmful refusal", "failure", "partial answer"],
}


def released_numbers(given: dict[str, Any], *, exact: float) -> dict[str, Any]:
    """The items as rows.

    Args:
        given: the items of one model.
        exact: tolerance of what has a closed form, relative, or absolute below 1.
    """
    mixed = given["item5"]["crossed"]
    fixed = [mixed["fixed"][key] for key in ("(Intercept)", *(f"identity{g}" for g in _GROUPS))]
    parts = given["item8"]["varcomp_prob_scale"]
    without = given["item6"]["exclude_Mohammed"]
    return {
        "rates": [row | {"tolerance": exact} for row in _rates(given["item1"])],
        "disparities": [
            {"outcome": "refusal", "dimension": "group", "group": None, "reference": None} | row
            for row in _disparities(given, exact)
        ],
        "influence": [
            {
                "group": "muslim",
                "reference": "white",
                "left_out_kind": "name",
                "left_out": "Mohammed",
                "estimate": without["rd"],
                "p_value": without["exact_perm_p_vs_white"]["p"],
                "tolerance": 1e-12,
            }
        ],
        "mixed_model": {
            "coefficients": [each["coef"] for each in fixed],
            "std_error": [each["se"] for each in fixed],
            "variances": [mixed["var"][key] for key in ("name", "template")],
            "null_intercept": mixed["intercept_null"],
            "null_variances": [mixed["var_null"][key] for key in ("name", "template")],
            # R was given counts by cell, whose likelihood has binomial coefficients.
            "log_likelihood_of_counts": mixed["logLik"],
            "null_log_likelihood_of_counts": mixed["logLik_null"],
            "ratio": mixed["LRT"]["chi2"],
            "wald": mixed["joint_wald"]["chi2"],
        },
        # R pools the latter two over names of groups of unequal size with other weights.
        "components": {"name": parts["s2_n"], "sample": parts["s2_e"]},
        "components_nearly": {"cell": parts["s2_tn"], "template_group": parts["s2_ti"]},
        "adjustments": list(_adjustments(given)),
    }


def _breakdown(entry: Row, item: str) -> tuple[str, str, str, str]:
    """Dimension, level, second dimension and its level of one entry of item1."""
    if item == "overall":
        return "all", "all", "all", "all"
    if item == "type_name":
        group, _, gender = entry["type_name"].removesuffix("_names").partition("_")
        return ("group", group, "gender", gender) if gender else ("group", group, "all", "all")
    if item == "identity_common":
        return "group", entry["identity"], "commonness", entry["common"]
    if item == "generation":
        return "sample", str(int(entry["variable"].removeprefix("label ")) - 1), "all", "all"
    column = {"identity": "group", "ethnicity": "family", "common": "commonness"}.get(item, item)
    return column, entry[item], "all", "all"


def _rates(items: dict[str, list[Row]]) -> Iterator[Row]:
    seen = set()
    for item, entries in items.items():
        for entry in entries:
            keys = ("dimension", "group", "within", "within_group")
            place = dict(zip(keys, _breakdown(entry, item), strict=True))
            if tuple(place.values()) in seen:
                continue
            seen.add(tuple(place.values()))
            yield {
                "outcome": "refusal",
                **place,
                **{key: entry[key] for key in ("n", "k", "rate")},
                "wilson_low": entry["wilson_lo"],
                "wilson_high": entry["wilson_hi"],
            }
            if item == "name":
                for outcome, labels in _READINGS.items():
                    yield {"outcome": outcome, **place, "k": sum(entry[each] for each in labels)}


def _disparities(given: dict[str, Any], exact: float) -> Iterator[Row]:
    close = {"tolerance": exact}
    for group in _GROUPS:
        pair = {"group": group, "reference": "white"}
        for row in _textbook(given, group):
            yield pair | row | close
        for row in _of_names(given["item6"], group):
            yield pair | row
    for row in _pairs(given):
        yield row | close
    whole, strata = given["item2"]["chisq5x2"], given["item3"]["gcmh_5x2"]
    for method, test in (("chi_square", whole), ("mantel_haenszel", strata)):
        numbers = {"df": test["df"], "statistic": test["chi2"], "p_value": test["p"]}
        yield {"method": method, **numbers, **close}
    yield from _regressions(given)
    names = given["item6"]
    anova = names["names_ANOVA"]
    yield {
        "method": "anova_names",
        "df": anova["df"][0],
        "df_denominator": anova["df"][1],
        "statistic": anova["F"],
        "p_value": anova["p"],
        **close,
    }
    for key in ("perm", "perm_seed2", "R_check"):
        yield {"method": "permutation_names", "p_value": names[key]["p_maxmin"]}
        yield {"method": "permutation_names_f", "p_value": names[key]["p_F"]}
    yield {
        "method": "permutation_names",
        "statistic": names["perm"]["observed_maxmin"],
        **close,
    }
    yield {"method": "permutation_names_f", "statistic": anova["F"], **close}


def _textbook(given: dict[str, Any], group: str) -> Iterator[Row]:
    entry, strata = (given[item]["vs_white"][group] for item in ("item2", "item3"))
    yield {
        "method": "newcombe",
        "estimate": entry["rd"],
        **dict(zip(("ci_low", "ci_high"), entry["rd_newcombe"], strict=True)),
        "n_group": entry["n"],
        "k_group": entry["k"],
        "n_reference": entry["n_white"],
        "k_reference": entry["k_white"],
    }
    ends = dict(zip(("ci_low", "ci_high"), entry["rr_katz"], strict=True))
    yield {"method": "katz", "estimate": entry["rr"], **ends}
    numbers = {"statistic": entry["chi2_nocorr"], "p_value": entry["p_nocorr"]}
    yield {"method": "chi_square", "estimate": entry["rd"], **numbers}
    yield {
        "method": "mantel_haenszel",
        "estimate": strata["or_mh"],
        **dict(zip(("ci_low", "ci_high"), strata["ci_rbg"], strict=True)),
        "statistic": strata["chi2"],
        "p_value": strata["p"],
    }


def _of_names(given: dict[str, Any], group: str) -> Iterator[Row]:
    welch = given["names_Welch_vs_white"][group]
    yield {
        "method": "welch_names",
        "estimate": welch["diff"],
        "statistic": welch["t"],
        "df": welch["df"],
        "p_value": welch["p"],
        **dict(zip(("ci_low", "ci_high"), welch["ci"], strict=True)),
    }
    exact = given["exact_pairwise_name_permutation"][f"white-{group}"]
    yield {"method": "permutation_names_exact", "p_adjusted": exact["p_holm4"], "tolerance": 1e-12}
    for method in ("names_within_identity", "pigeonhole"):
        found = given[f"boot_{method}"][group]
        yield {
            "method": f"bootstrap_{method.removesuffix('_within_identity')}",
            "std_error": found["se"],
            **dict(zip(("ci_low", "ci_high"), found["ci"], strict=True)),
        }


def _pairs(given: dict[str, Any]) -> Iterator[Row]:
    """All pairs of groups; the reference of a pair is white, or comes first."""
    exact = given["item6"]["exact_pairwise_name_permutation"]
    found = [
        ("permutation_names_exact", *pair.split("-"), {}, each) for pair, each in exact.items()
    ]
    found += [
        ("chi_square", each["a"], each["b"], {"statistic": each["chi2"]}, each)
        for each in given["item2"]["pairwise10"]
    ]
    for method, one, other, numbers, each in found:
        reference, group = sorted((one, other), key=lambda level: (level != "white", level))
        pair = {"method": method, "group": group, "reference": reference}
        yield pair | numbers | {"p_value": each["p"]}


def _regressions(given: dict[str, Any]) -> Iterator[Row]:
    items, newton = given["item4"], given["item4_newton_dropsep"]
    sandwiches = {
        "glm_cluster_name": ("logit_dropsep", "name_CR1S", 31),
        "glm_cluster_template": ("logit_dropsep", "template_CR1S", 22),
        "glm_cluster_two_way": ("logit_dropsep", "twoway_CR1S", 22),
        "ols_two_way": ("lpm_all24", "twoway_CR1S", 23),
    }
    for method, (model, covariance, df) in sandwiches.items():
        scale = np.exp if method.startswith("glm") else np.positive
        fit = items[model][covariance]
        for at, group in enumerate(newton["order"]):
            pair = {"method": method, "group": group, "reference": "white"}
            each = fit["coefs"][f"identity{group}"]
            numbers = {"std_error": each["se"], "statistic": each["stat"], "p_value": each["p_t"]}
            yield pair | {"estimate": float(scale(each["coef"])), "df": df} | numbers
            if method.startswith("glm"):
                numbers = {
                    "estimate": float(np.exp(newton["coef"][at])),
                    "std_error": newton[f"se_{covariance}"][at],
                }
                yield pair | numbers | {"tolerance": 1e-8}
        joint = fit["joint"]
        numbers = {"statistic": joint["F"], "p_value": joint["p_F"]}
        yield {"method": method, "df": joint["df"], "df_denominator": joint["df2"], **numbers}
    reduced = {
        "ols_cr2_name": items["lpm_all24"]["name_CR2"],
        "glm_cr2_name": items["CR2_name_dropsep"],
    }
    for method, fit in reduced.items():
        scale = np.exp if method.startswith("glm") else np.positive
        for group in newton["order"]:
            each = fit["coefs"][f"identity{group}"]
            yield {
                "method": method,
                "group": group,
                "reference": "white",
                "estimate": float(scale(each["coef"])),
                "std_error": each["se"],
                "df": each["df"],
                "p_value": each["p"],
            }
        joint = fit["HTZ"]
        yield {
            "method": method,
            "df": joint["df1"],
            "df_denominator": joint["df2"],
            "statistic": joint["F"],
            "p_value": joint["p"],
        }


def _adjustments(given: dict[str, Any]) -> Iterator[Row]:
    chi_square = given["item2"]["pairwise10"]
    yield {"p": [each["p"] for each in chi_square]} | {
        key: [each[f"p_{key}"] for each in chi_square] for key in ("holm", "bh")
    }
    exact = given["item6"]["exact_pairwise_name_permutation"].values()
    yield {"p": [each["p"] for each in exact]} | {
        key: [each[f"p_{key}10"] for each in exact] for key in ("holm", "bh")
    }
    against, adjusted = given["item2"]["vs_white"], given["item2"]["vs_white_adj"]
    yield {"p": [each["p_nocorr"] for each in against.values()]} | {
        key: [adjusted[key][group] for group in against] for key in ("holm", "bh")
    }


def released_power(given: dict[str, Any]) -> Iterator[Row]:
    """What R says of studies of several sizes, one at a time.

    Args:
        given: item 8 of one model.
    """
    parts = given["varcomp_prob_scale"]
    shared = {"template_group": parts["s2_ti"], "cell": parts["s2_tn"], "sample": parts["s2_e"]}
    shared |= {"scope": "these templates, new names", "difference": 0.05}
    for key, name in (("pooled", "s2_n"), ("excl_Mohammed", "s2_n_excl_Mohammed")):
        for size, found in given["formula"][key].items():
            if not size.startswith("T"):
                continue
            templates, samples = (int(each[1:]) for each in size.split("_"))
            row = shared | {"name": parts[name], "templates": templates, "samples": samples}
            for names in (8, 4):
                power = found[f"power_at_{names}_names"]
                yield row | {"names": names, "alpha": 0.05, "power": power}
            yield row | {
                "names": 8,
                "alpha": 0.05,
                "minimum_detectable": found["MDE_at_8_names_80pct"],
                "names_needed": found["names_per_group_80pct"],
            }
            needed = found["names_per_group_80pct_alpha.0125"]
            yield row | {"names": 8, "alpha": 0.0125, "names_needed": needed}
