# Differences between kinds of prompts of a list, with a number of each prompt held fixed.

# By least squares, with CR2 errors by unit: the prompt, or what says which of them belong together. Of
# a unit's several prompts of one kind the number is the mean over their responses. Degrees of freedom
# are the fewer of Welch's, where no unit meets two kinds, and Satterthwaite's.
held_by_unit <- function(d, outcome, key) {
  d <- with_listed(d, outcome, key)
  d$held <- ave(d$length, d$level, d$unit)
  x <- regressors(d, FALSE, cbind(held = d$held)); fit <- fit_of(d$y, x)
  levels <- levels(d$level); weights <- pair_weights(levels); pairs <- pairs_of(levels)
  working <- satterthwaite(fit, vcovCR(fit, cluster = d$unit, type = "CR2"), weights)
  found <- one_way(fit, x, d$unit, weights, d$level)
  lapply(seq_along(pairs), function(i) {
    test <- t_test(working$estimate[i], sqrt(found$variance[i]), min(found$df[i], working$df[i]))
    row <- c(row_of("unit_adjusted", levels, pairs[[i]], estimate = working$estimate[i]), test)
    within_reach(c(list(outcome = outcome, dimension = "kind"), row))
  })
}

with_listed <- function(d, outcome, key) {
  if (outcome == "answer_length") d <- d[d$label == "answer", ]
  d$y <- if (outcome == "answer_length") d$words else as.numeric(d$label %in% REFUSED)
  d$level <- factor(d$kind); d$unit <- factor(d[[key]])
  d
}

listed <- function() {
  d <- read_study("listed")
  lapply(c(prompt = "prompt", pair = "pair", set = "set"), function(key) {
    c(held_by_unit(d, "refusal", key), held_by_unit(d, "answer_length", key))
  })
}
