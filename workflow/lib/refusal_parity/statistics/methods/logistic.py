"""Logistic regression with clustered errors: odds ratios within templates.

All of them describe and are never the test (docs/method.md): the plain sandwich
errors are far too small, those reduced in bias (CR2) are not.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.dimensions import WITHIN_TEXTS
from refusal_parity.statistics.answers import Remark, merged, pairs_missing, unanswered
from refusal_parity.statistics.designs.regressors import absorb
from refusal_parity.statistics.false_alarms import Percent
from refusal_parity.statistics.fits.logistic_fits import fits_of, trimmed
from refusal_parity.statistics.fits.logistic_lost import Clusters, lost_levels
from refusal_parity.statistics.registry import METHODS, Describes, Method, Needs
from refusal_parity.statistics.variances.contrasts import Fitted, contrasts, hotelling, joint
from refusal_parity.statistics.variances.cr2 import bias_reduced
from refusal_parity.statistics.variances.roots import triangle
from refusal_parity.statistics.variances.sandwich import two_way
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from refusal_parity.statistics.answers import Answers
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.fits.logistic_fits import Fits
    from refusal_parity.statistics.registry import Setting

_TWO: Final = 2


def logistic(
    studies: Studies, setting: Setting, *, method: str, clusters: Clusters
) -> list[Answers]:
    """Odds ratios within templates under one of four covariances.

    logit P(y = 1) = sum over levels of b_l [level = l] + sum over templates
    of c_t [template = t]; covariances of `sandwich`, t and F with the
    (smaller) number of clusters less 1. Templates where the outcome does not
    vary are dropped, which the note says; a level where it does not vary is
    not estimable, and with it the global test.

    Args:
        studies: counts of a yes-or-no outcome.
        setting: its alpha.
        method: key of the method.
        clusters: what errors are clustered by.

    Returns:
        The pairs of levels, and the global test.
    """

    def fitted(fits: Fits) -> Fitted:
        sizes = [
            size
            for used, size in zip(clusters, (fits.counts.names, fits.counts.templates), strict=True)
            if used
        ]
        df = np.maximum(np.min(sizes, axis=0) - 1, 1)
        fallback = None
        if all(clusters):
            diagonal = np.diagonal(fits.largest, axis1=1, axis2=2)
            fallback = two_way(fits.sandwich, diagonal)
            root = fallback.root
        else:
            root = fits.sandwich.by_name if clusters.names else fits.sandwich.by_template
        return Fitted(
            levels=fits.studies.grid.levels,
            coefficients=fits.fit.coefficients,
            root=root,
            largest=fits.largest,
            df=df[:, None],
            df_joint=df,
            fallback=fallback,
        )

    return _answers(studies, setting, fitted, joint, METHODS[method], clusters)


def logistic_cr2_name(studies: Studies, setting: Setting) -> list[Answers]:
    """The same with CR2 by name, Satterthwaite's degrees of freedom and HTZ (`cr2`).

    p's derivatives are the regressors and p (1 - p) the working variance; so
    each study costs a regression of its own.
    """

    def fitted(fits: Fits) -> Fitted:
        levels = fits.studies.grid.levels
        q = len(levels) - 1
        root = np.full((len(fits.at), q, q), np.nan)
        df = np.full((len(fits.at), (q + 1) * q // 2), np.nan)
        eta = np.full(len(fits.at), np.nan)
        for study in np.flatnonzero(~fits.none):
            design = fits.design(int(study))
            inside = fits.inside[study]
            chance = fits.fit.chance[study][fits.studies.grid.level][inside]
            absorbed = absorb(design, variance=chance * (1 - chance))
            found = bias_reduced(absorbed, fits.residual[study][inside], design.name)
            root[study] = triangle(found.root)
            df[study], eta[study] = found.df, found.df_joint
        return Fitted(
            levels=levels,
            coefficients=fits.fit.coefficients,
            root=root,
            largest=fits.largest,
            df=df,
            df_joint=eta,
        )

    by_name = Clusters(names=True, templates=False)
    return _answers(studies, setting, fitted, hotelling, GLM_CR2_NAME, by_name)


def _answers(  # noqa: PLR0913, PLR0917 - what the four have in common
    studies: Studies,
    setting: Setting,
    fitted: Callable[[Fits], Fitted],
    together: Callable[[Fitted, Method], Answers],
    method: Method,
    clusters: Clusters,
) -> list[Answers]:
    """The tests of all fits, and why there are none where there are none."""
    lost = lost_levels(studies, clusters)
    parts: list[list[Answers]] = [[], []]
    without_fit = np.zeros(len(studies), dtype=np.bool_)
    first: list[Remark] = []
    for fits in fits_of(studies):
        without_fit[fits.at] = fits.none
        fit, own = fitted(fits), fits.studies.pairs
        rows = [contrasts(fit, method, own, setting.alpha), together(fit, method)]
        for study, alone in fits.alone(**clusters._asdict()).items():
            here = (np.arange(len(fits.at)) == study)[:, None]
            every = Remark.missing(", ".join(dict.fromkeys(alone.values())), here & bool(alone))
            of_pairs = [
                each._replace(where=here & each.where) for each in pairs_missing(own, alone)
            ]
            rows = [
                replace(row, remarks=(*said, *row.remarks))
                for row, said in zip(rows, (of_pairs, [every]), strict=True)
            ]
        place = {int(study): row for row, study in enumerate(fits.at)}
        where = np.zeros((len(studies), 1), dtype=np.bool_)
        where[fits.at, 0] = fits.none
        first.append(Remark.missing(partial(_why_none, fits, place), where))
        for part, row in zip(parts, rows, strict=True):
            part.append(row.spread_out(studies.pairs, len(studies), fits.at))
    rows_of_all = [
        merged(part) if part else unanswered(method, estimand, studies)
        for part, estimand in zip(parts, method.estimands, strict=True)
    ]
    few = (trimmed(studies).kept.any(axis=2).sum(axis=1) < _TWO)[:, None]
    first.insert(0, Remark.missing(lost.of_trimming, few))
    of_levels = (
        lost.remarks(studies),
        [Remark.missing(lost.of_all, np.asarray(lost.any.any(axis=1))[:, None])],
    )
    dropped = trimmed(studies).templates
    note = Remark(
        lambda study: f"without templates where the outcome does not vary ({dropped[study]})",
        (dropped > 0)[:, None] & ~few & ~without_fit[:, None],
        always=True,
    )
    return [
        replace(row, remarks=(*first, *said, *row.remarks, note))
        for row, said in zip(rows_of_all, of_levels, strict=True)
    ]


def _why_none(fits: Fits, place: Mapping[int, int], study: int) -> str:
    return fits.why_none(place[study])


_BINARY: Final = Needs(units=WITHIN_TEXTS, binary=True)
_ESTIMANDS: Final = (Estimand.ODDS_RATIO, Estimand.GLOBAL)


def _clustered(key: str, by: str, clusters: Clusters, scope: Scope, describes: Describes) -> Method:
    needs = replace(_BINARY, names=1 + clusters.names, templates=1 + clusters.templates)
    return Method(
        key,
        heading=f"Logistic model, clustered by {by}",
        estimands=_ESTIMANDS,
        scope=scope,
        needs=needs,
        describes=describes,
        run=partial(logistic, method=key, clusters=clusters),
    )


_FEW_NAMES: Final = "its standard errors are too small with few names in a group"
GLM_CLUSTER_NAME: Final = _clustered(
    "glm_cluster_name",
    "name",
    Clusters(names=True, templates=False),
    Scope.NEW_NAMES,
    Describes.rejecting(Percent(18, 26), _FEW_NAMES),
)
GLM_CLUSTER_TEMPLATE: Final = _clustered(
    "glm_cluster_template",
    "template",
    Clusters(names=False, templates=True),
    Scope.NEW_NAMES_AND_TEMPLATES,
    Describes.rejecting(Percent(72, 97), "it ignores that names differ"),
)
GLM_CLUSTER_TWO_WAY: Final = _clustered(
    "glm_cluster_two_way",
    "template and name",
    Clusters(names=True, templates=True),
    Scope.NEW_NAMES_AND_TEMPLATES,
    Describes.rejecting(Percent(16, 20), _FEW_NAMES),
)
GLM_CR2_NAME: Final = Method(
    "glm_cr2_name",
    heading="Logistic model, bias-reduced errors by name",
    estimands=_ESTIMANDS,
    scope=Scope.NEW_NAMES,
    needs=replace(_BINARY, names=2),
    describes=Describes(
        reason="an odds ratio within templates says nothing of those without a refusal; its type "
        "I error rate was not simulated"
    ),
    run=logistic_cr2_name,
    checked=False,
)
"""Not in the self-check: each study's own weights would cost it a whole regression, thousands of
times, for odds ratios that only describe."""
