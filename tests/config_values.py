"""What kinds of keys of a config take, and what they do not take."""

from __future__ import annotations

from config_studies import HASH

WORD = (["x"], [7, None, ["x"]])
WORD_OR_NONE = (["x", None], [7, ["x"]])
COLUMNS_OR_NONE = (["x", ["x"], ["x.y", "z"], None], [7, [], ["x", "x"], ["x", 7], {"x": "y"}])
PATH = (["a/b c.csv"], [7, "a{b}.csv"])
PATH_OR_NONE = (["a/b c.csv", None], [7, "{a}"])
YES_OR_NO = ([True, False], ["perhaps", 7])
COUNT = ([1, 999_999], [0, -1, 1.5, "many", None])
COUNT_OR_0 = ([0, 7], [-1, 1.5, None])
VARIANCE = ([0, 0.25], [-0.1, "wide", None])
SEED = ([0, -3, 2**40], [1.5, "x", None])
PRICE = ([0, 0.15, None], [-1, "cheap"])
SHA = ([HASH], ["abc", HASH.upper(), None])
THINKING = (
    ["auto", "none", {"start": "a", "end": "b"}],
    ["yes", {"start": "a"}, {"start": "", "end": "b"}],
)
KEY = (["a-1.b_c"], ["", "a b", "../a", "-a", None])
OUTCOMES = (["refusal", "any_refusal"], ["refusals", None, 3])
