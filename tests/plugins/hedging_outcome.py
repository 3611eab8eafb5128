"""An outcome that somebody adds: its declaration, in a file of its own."""

from refusal_parity.outcomes import Outcome, Words
from refusal_parity.quantities import Share
from refusal_parity.vocabulary import Label

Outcome(
    "hedging",
    Share(frozenset({Label.PARTIAL_ANSWER, Label.FAILURE})),
    Words(heading="Hedging", meaning="the response goes round the request", verb="hedged"),
    usual=False,
)
