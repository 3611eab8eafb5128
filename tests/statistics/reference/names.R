# Tests whose unit is the name, components of variance and power. `d` as in methods.R.

PERMUTATIONS <- 100000
BOOTSTRAPS <- 20000
SEED <- 20240313

# Whether all names have the same share of each template.
same_shares <- function(d) {
  n <- table(d$name, d$template)
  all(n * sum(n) == outer(rowSums(n), colSums(n)))
}

# The outcome less the effect of its template in the regression on levels and templates.
within_templates <- function(d) {
  fit <- lm(y ~ 0 + template + level, d)
  effect <- coef(fit)[paste0("template", d$template)]
  d$y - (effect - mean(effect))
}

# A row for each name: its level, responses n and the sum k of y over them; or, where names have not
# the same templates, its mean within templates (`adjusted`) and a weight of 1.
by_name <- function(d, adjusted = if (same_shares(d)) NULL else within_templates(d)) {
  level <- d$level[match(levels(d$name), d$name)]
  if (is.null(adjusted)) {
    data.frame(level = level, n = as.vector(table(d$name)), k = as.vector(tapply(d$y, d$name, sum)))
  } else data.frame(level = level, n = 1, k = as.vector(tapply(adjusted, d$name, mean)))
}

of_names <- function(d) {
  names <- by_name(d); names$rate <- names$k / names$n
  levels <- levels(d$level); rows <- list()
  for (pair in pairs_of(levels)) {
    rates <- lapply(pair, function(at) names$rate[names$level == levels[at]])
    welch <- t.test(rates[[1]], rates[[2]], conf.level = 1 - ALPHA)
    two <- names[names$level %in% levels[pair], ]
    rows <- c(rows, list(
      row_of("welch_names", levels, pair, estimate = unname(welch$estimate[1] - welch$estimate[2]),
             std_error = welch$stderr, df = unname(welch$parameter), ci_low = welch$conf.int[1],
             ci_high = welch$conf.int[2], statistic = unname(welch$statistic), p_value = welch$p.value),
      c(row_of("permutation_names_exact", levels, pair), exact(two$k, two$n, two$level == levels[pair[1]]))
    ))
  }
  anova <- oneway.test(rate ~ level, names, var.equal = TRUE)
  rows <- c(rows, list(list(method = "anova_names", statistic = unname(anova$statistic), df = unname(anova$parameter[1]),
                            df_denominator = unname(anova$parameter[2]), p_value = anova$p.value)))
  c(rows, permutations(names), bootstraps(d))
}

# All ways to choose which names are the group's.
exact <- function(k, n, ours) {
  difference <- function(kk, nn) kk / nn - (sum(k) - kk) / (sum(n) - nn)
  splits <- combn(length(k), sum(ours))
  sums <- function(x) colSums(matrix(x[splits], nrow(splits)))
  seen <- difference(sum(k[ours]), sum(n[ours]))
  list(estimate = seen, p_value = mean(abs(difference(sums(k), sums(n))) >= abs(seen) * (1 - 1e-9) - 1e-12))
}

# Every way to deal the levels to names, one a column, or NULL where there are too many.
all_dealings <- function(level) {
  counts <- table(level)
  if (exp(lfactorial(length(level)) - sum(lfactorial(counts))) > PERMUTATIONS) return(NULL)
  deal <- function(left, at) {
    if (at == length(counts)) return(list(list(left)))
    combn(length(left), counts[at], simplify = FALSE) |>
      lapply(function(own) lapply(deal(left[-own], at + 1), function(rest) c(list(left[own]), rest))) |>
      unlist(recursive = FALSE)
  }
  vapply(deal(seq_along(level), 1), function(groups) {
    dealt <- integer(length(level))
    for (g in seq_along(groups)) dealt[groups[[g]]] <- g
    dealt
  }, integer(length(level)))
}

permutations <- function(names) {
  level <- as.integer(names$level)
  dealt <- all_dealings(level)
  listed <- !is.null(dealt)
  set.seed(SEED)
  if (!listed) dealt <- replicate(PERMUTATIONS, sample(level))
  statistics <- function(dealt) {
    sums <- function(x) t(vapply(seq_len(max(level)), function(g) colSums(x * (dealt == g)), numeric(ncol(dealt))))
    dim <- c(max(level), ncol(dealt))
    rates <- array(sums(names$k), dim) / array(sums(names$n), dim)
    means <- array(sums(names$rate), dim) / as.vector(table(level))
    list(spread = apply(rates, 2, max) - apply(rates, 2, min), f = colSums(means^2 * as.vector(table(level))))
  }
  seen <- statistics(matrix(level)); all <- statistics(dealt)
  p <- function(key) {
    reached <- all[[key]] >= seen[[key]] * (1 - 1e-9)
    if (listed) mean(reached) else (1 + sum(reached)) / (1 + length(reached))
  }
  anova <- oneway.test(rate ~ level, names, var.equal = TRUE)
  list(list(method = "permutation_names", statistic = seen$spread, p_value = p("spread")),
       list(method = "permutation_names_f", statistic = unname(anova$statistic), p_value = p("f")))
}

# Percentile intervals: names drawn within levels; and templates too, once for all levels.
bootstraps <- function(d) {
  set.seed(SEED)
  drawn <- function(size) rmultinom(BOOTSTRAPS, size, rep(1, size))
  levels <- levels(d$level); n <- xtabs(~ name + template, d); k <- xtabs(y ~ name + template, d)
  own <- d$level[match(levels(d$name), d$name)]
  templates <- drawn(nlevels(d$template)); rates <- list(bootstrap_names = list(), bootstrap_pigeonhole = list())
  for (level in levels) {
    w <- drawn(sum(own == level))
    kk <- t(k[own == level, , drop = FALSE]) %*% w; nn <- t(n[own == level, , drop = FALSE]) %*% w
    rates$bootstrap_names[[level]] <- colSums(kk) / colSums(nn)
    rates$bootstrap_pigeonhole[[level]] <- colSums(kk * templates) / colSums(nn * templates)
  }
  seen <- tapply(d$y, d$level, mean)
  unlist(lapply(names(rates), function(method) lapply(pairs_of(levels), function(pair) {
    difference <- rates[[method]][[pair[1]]] - rates[[method]][[pair[2]]]
    difference <- difference[is.finite(difference)]
    ends <- quantile(difference, c(ALPHA / 2, 1 - ALPHA / 2), names = FALSE)
    row_of(method, levels, pair, estimate = unname(seen[pair[1]] - seen[pair[2]]), std_error = sd(difference),
           ci_low = ends[1], ci_high = ends[2])
  })), recursive = FALSE)
}

# Each difference to the reference without one name, and without one template.
influences <- function(d) {
  rows <- list(); levels <- levels(d$level)
  d$within <- if (same_shares(d)) NA else within_templates(d)
  for (at in 2:length(levels)) for (kind in c("name", "template")) {
    two <- d[d$level %in% levels[c(1, at)], ]
    for (left_out in sort(unique(as.character(two[[kind]])))) {
      rest <- two[two[[kind]] != left_out, ]; rest$name <- droplevels(rest$name)
      names <- by_name(rest, if (anyNA(rest$within)) NULL else rest$within)
      found <- exact(names$k, names$n, names$level == levels[at])
      rows <- c(rows, list(c(list(group = levels[at], reference = levels[1], left_out_kind = kind,
                                  left_out = left_out), found)))
    }
  }
  rows
}

# Components of variance by the mean squares of a balanced study, with levels of equal size; each is
# well above 0, where the package would put a negative one.
components <- function(d) {
  ms <- anova(lm(y ~ level * template + name + name:template, d))
  square <- function(term) ms[term, "Mean Sq"]
  g <- nlevels(d$level); m <- nlevels(d$name) / g; s <- nlevels(d$template); r <- nrow(d) / (g * m * s)
  stopifnot(r == round(r), all(table(d$name, d$template) == r))
  found <- list(rate = mean(d$y), sample = square("Residuals"), cell = (square("template:name") - square("Residuals")) / r,
       name = (square("name") - square("template:name")) / (s * r),
       template_group = (square("level:template") - square("template:name")) / (m * r),
       template = (square("template") - square("level:template")) / (g * m * r))
  stopifnot(unlist(found) > 1e-3)
  found
}

# Power of the t test of a difference by the noncentral t, in complete studies of several sizes: what
# `names` names a group find, and how many find `difference` in four of five studies.
power_table <- function() {
  parts <- list(name = 0.012, template_group = 0.004, cell = 0.02, sample = 0.05)
  sizes <- expand.grid(alpha = c(0.05, 0.0125), samples = c(1, 3), templates = c(6, 24, 250), names = c(4, 8),
                       scope = c("these templates, new names", "new templates and new names"),
                       stringsAsFactors = FALSE)
  lapply(seq_len(nrow(sizes)), function(at) {
    size <- as.list(sizes[at, ])
    moments <- function(names) {
      of_name <- (parts$name + parts$cell / size$templates + parts$sample / (size$templates * size$samples)) / names
      bent <- if (startsWith(size$scope, "new")) 2 * parts$template_group / size$templates else 0
      variance <- 2 * of_name + bent
      list(variance = variance, df = variance^2 / (2 * of_name^2 / (names - 1) + bent^2 / (size$templates - 1)))
    }
    power <- function(difference, names) {
      m <- moments(names); bound <- qt(1 - size$alpha / 2, m$df); shift <- difference / sqrt(m$variance)
      pt(bound, m$df, shift, lower.tail = FALSE) + suppressWarnings(pt(-bound, m$df, shift))
    }
    least <- uniroot(function(x) power(x, size$names) - 0.8, c(0, 20 * sqrt(moments(size$names)$variance)), tol = 1e-13)
    needed <- 2
    while (power(0.2, needed) < 0.8) needed <- needed + 1
    c(parts, size, list(difference = 0.2, power = power(0.2, size$names), minimum_detectable = least$root,
                        names_needed = needed))
  })
}
