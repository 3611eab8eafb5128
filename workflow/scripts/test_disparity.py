from functools import partial
from pathlib import Path

from refusal_parity.at_once import at_once
from refusal_parity.config import AnalysisConfig
from refusal_parity.console import job
from refusal_parity.counting import counted
from refusal_parity.statistics.checking.selfcheck import selfcheck
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.human_sample import refuse_strangers
from refusal_parity.statistics.influence import influences
from refusal_parity.statistics.interactions import interactions
from refusal_parity.statistics.lengths import lengths, quality
from refusal_parity.statistics.losses.cut_off import cut_off
from refusal_parity.statistics.losses.exclusions import exclusions
from refusal_parity.statistics.losses.shares import bounds, losses
from refusal_parity.statistics.pooled import pooled_rates
from refusal_parity.statistics.propensity.measured import measured
from refusal_parity.statistics.rates import rates
from refusal_parity.statistics.template_effects import template_effects
from refusal_parity.statistics.weighed_sample import weighed_sample
from refusal_parity.tables import (
    Bounds,
    CutOff,
    Disparity,
    Exclusions,
    HumanLabels,
    Influence,
    Interactions,
    Judgements,
    Labels,
    LeafHumanLabels,
    Lengths,
    Losses,
    Pooled,
    Prompts,
    Propensity,
    Quality,
    Rates,
    Responses,
    SelfCheck,
    TemplateEffects,
    Weighed,
    WeighedResponses,
    read_table,
    write_table,
)

with job(snakemake.wildcards.model, snakemake.log[0]) as say:
    analysis = AnalysisConfig.model_validate(snakemake.params.analysis)
    prompts = read_table(Prompts, Path(snakemake.input.prompts))
    labels = read_table(Labels, Path(snakemake.input.labels))
    propensity, weighed, responses, *said = (
        read_table(schema, Path(file)) if file else None
        for schema, file in (
            (Propensity, snakemake.input.get("propensity")),
            (Weighed, snakemake.input.get("weighed")),
            (WeighedResponses, snakemake.input.get("weighed_responses")),
            (HumanLabels, snakemake.input.get("human")),
            (LeafHumanLabels, snakemake.input.get("leaf_human")),
        )
    )
    human, leaf_human = said
    if human is not None:
        refuse_strangers(human, labels)
    observations = observe(
        prompts,
        labels,
        analysis,
        read_table(Responses, Path(snakemake.input.responses)),
        propensity=propensity,
        weighed=weighed,
    )
    audited = (
        None
        if responses is None or propensity is None or weighed is None
        else weighed_sample(
            measured(prompts, propensity, weighed, analysis), responses, human, leaf_human
        )
    )
    say(f"estimating and testing {counted(len(observations), 'response')}")
    # Long ones first: with two threads they are shared out in this order.
    parts = {}
    if snakemake.output.selfcheck:
        say(
            f"self-check: simulating up to {analysis.selfcheck:,} studies for each dimension, "
            "which takes some ten seconds each"
        )
        parts["selfcheck"] = (partial(selfcheck, observations, analysis, say), SelfCheck)
    parts |= {
        "disparity": (
            partial(disparities, observations, analysis, human, say, weighed=audited),
            Disparity,
        ),
        "pooled": (partial(pooled_rates, observations, analysis, say), Pooled),
        "influence": (partial(influences, observations, analysis, say), Influence),
        "rates": (partial(rates, observations, analysis, say), Rates),
        "lengths": (partial(lengths, observations, analysis, say), Lengths),
        "exclusions": (partial(exclusions, observations, analysis), Exclusions),
        "losses": (partial(losses, observations, analysis, say), Losses),
        "bounds": (partial(bounds, observations, analysis, say), Bounds),
        "cut_off": (partial(cut_off, prompts, labels, analysis, say), CutOff),
        "interactions": (partial(interactions, observations, analysis, say), Interactions),
        "template_effects": (
            partial(template_effects, observations, analysis, say),
            TemplateEffects,
        ),
    }
    if snakemake.output.quality:
        judged = snakemake.input.get("judgements")
        judgements = read_table(Judgements, Path(judged)) if judged else None
        parts["quality"] = (partial(quality, observations, analysis, say, judgements), Quality)
    tables = at_once({name: part for name, (part, _) in parts.items()}, snakemake.threads)
    for name, table in tables.items():
        write_table(table, parts[name][1], Path(snakemake.output[name]))
