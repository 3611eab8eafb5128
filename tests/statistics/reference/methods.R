# Comparisons of levels by counts and by regressions. `d` has a row for each response: y, level
# (a factor, the reference first), name and template (factors).

ALPHA <- 0.05
MARGIN <- 0.05
LENGTH_MARGIN <- 10

# All pairs of levels: with the first one, then with the second, ...
pairs_of <- function(levels) {
  found <- list()
  for (i in seq_along(levels)) for (j in seq_along(levels)) if (j > i) found <- c(found, list(c(j, i)))
  found
}

row_of <- function(method, levels, pair, ...) {
  c(list(method = method, group = levels[pair[1]], reference = levels[pair[2]]), list(...))
}

t_test <- function(estimate, std_error, df) {
  reach <- qt(1 - ALPHA / 2, df) * std_error
  list(std_error = std_error, df = df, ci_low = estimate - reach, ci_high = estimate + reach,
       statistic = estimate / std_error, p_value = 2 * pt(-abs(estimate / std_error), df))
}

# --- responses as if independent ---------------------------------------------------------------

proportions <- function(d) {
  n <- as.vector(table(d$level)); k <- as.vector(tapply(d$y, d$level, sum)); p <- k / n
  wilson <- mapply(function(k, n) prop.test(k, n, correct = FALSE)$conf.int, k, n)
  levels <- levels(d$level)
  rows <- list()
  for (pair in pairs_of(levels)) {
    i <- pair[1]; o <- pair[2]
    difference <- p[i] - p[o]; log_error <- sqrt(1 / k[i] - 1 / n[i] + 1 / k[o] - 1 / n[o])
    ratio <- exp(log(p[i] / p[o]) + c(0, -1, 1) * qnorm(1 - ALPHA / 2) * log_error)
    pearson <- suppressWarnings(chisq.test(rbind(k[pair], (n - k)[pair]), correct = FALSE))
    rows <- c(rows, list(
      row_of("newcombe", levels, pair, estimate = difference,
             ci_low = difference - sqrt((p[i] - wilson[1, i])^2 + (wilson[2, o] - p[o])^2),
             ci_high = difference + sqrt((wilson[2, i] - p[i])^2 + (p[o] - wilson[1, o])^2),
             n_group = n[i], k_group = k[i], n_reference = n[o], k_reference = k[o]),
      row_of("katz", levels, pair, estimate = ratio[1], std_error = log_error, ci_low = ratio[2], ci_high = ratio[3]),
      row_of("chi_square", levels, pair, estimate = difference, statistic = unname(pearson$statistic),
             df = unname(pearson$parameter), p_value = pearson$p.value)
    ))
  }
  whole <- suppressWarnings(chisq.test(rbind(k, n - k), correct = FALSE))
  c(rows, list(list(method = "chi_square", statistic = unname(whole$statistic),
                    df = unname(whole$parameter), p_value = whole$p.value)))
}

mantel_haenszel <- function(d) {
  test <- function(d) {
    d <- d[ave(d$y, d$template, FUN = length) > 1, ]        # R refuses strata of one response
    mantelhaen.test(table(droplevels(d$level), d$y, droplevels(d$template)), correct = FALSE, conf.level = 1 - ALPHA)
  }
  numbers <- function(m) list(statistic = unname(m$statistic), df = unname(m$parameter), p_value = m$p.value)
  levels <- levels(d$level)
  rows <- lapply(pairs_of(levels), function(pair) {
    m <- test(d[d$level %in% levels[pair], ])
    c(row_of("mantel_haenszel", levels, pair, estimate = unname(m$estimate),
             std_error = log(m$conf.int[2] / m$conf.int[1]) / 2 / qnorm(1 - ALPHA / 2),
             ci_low = m$conf.int[1], ci_high = m$conf.int[2]), numbers(m))
  })
  c(rows, list(c(list(method = "mantel_haenszel"), numbers(test(d)))))
}

# --- regressions -------------------------------------------------------------------------------

# Contrasts of levels first, then what is adjusted for.
regressors <- function(d, effects, covariate = NULL) {
  contrasts <- model.matrix(~ level, d)[, -1, drop = FALSE]
  rest <- if (effects && nlevels(d$template) > 1) model.matrix(~ 0 + template, d) else matrix(1, nrow(d), 1)
  cbind(contrasts, covariate, rest)
}

pair_weights <- function(levels) {
  full <- diag(length(levels))
  do.call(rbind, lapply(pairs_of(levels), function(pair) full[pair[1], ] - full[pair[2], ]))[, -1, drop = FALSE]
}

# clubSandwich looks a fit's data up again by its name.
fit_of <- function(y, x, family = NULL) {
  wide <<- data.frame(y = y, x)
  if (is.null(family)) return(lm(y ~ . + 0, wide))
  again <- function(start) glm(y ~ . + 0, family, wide, start = start, control = glm.control(epsilon = 1e-14, maxit = 100))
  fit <- again(coef(again(NULL)))      # glm stops by the deviance: one step more for the coefficients
  stopifnot(fit$converged, max(abs(coef(fit))) < 15)       # neither separated nor elsewhere
  fit
}

# Satterthwaite's test of each contrast (rows of `weights`) under a CR2 covariance, by clubSandwich.
satterthwaite <- function(fit, vcov, weights) {
  padded <- cbind(weights, matrix(0, nrow(weights), length(coef(fit)) - ncol(weights)))
  found <- linear_contrast(fit, vcov, contrasts = padded, test = "Satterthwaite", level = 1 - ALPHA)
  data.frame(estimate = found$Est, std_error = found$SE, df = found$df)
}

htz <- function(fit, vcov, tested) {
  found <- Wald_test(fit, constraints = diag(1, tested, length(coef(fit))), vcov = vcov, test = "HTZ")
  list(statistic = found$Fstat, df = found$df_num, df_denominator = found$df_denom, p_value = found$p_val)
}

f_test <- function(b, v, df) {
  statistic <- drop(b %*% solve(v, b)) / length(b)
  list(statistic = statistic, df = length(b), df_denominator = df,
       p_value = pf(statistic, length(b), df, lower.tail = FALSE))
}

# CR1S by both: with the larger of the two one-way covariances where the sum has no inverse.
two_way_cr1 <- function(fit, d, tested) {
  at <- seq_len(tested)
  one <- function(cluster) vcovCL(fit, cluster = cluster, type = "HC1", cadjust = TRUE)[at, at, drop = FALSE]
  both <- one(d[, c("name", "template")])
  values <- eigen(both, symmetric = TRUE, only.values = TRUE)$values
  if (min(values) > 1e-10 * max(abs(values))) return(both)
  single <- list(one(d$name), one(d$template))
  single[[which.max(vapply(single, function(v) sum(diag(v)), 0))]]
}

# Each cluster's term of a CR2 contrast, by the formula: c' (X'X)^-1 X_g' (I - H_gg)^(-1/2) e_g.
cr2_terms <- function(x, e, cluster, weights) {
  bread <- solve(crossprod(x))
  half <- bread[seq_len(ncol(weights)), , drop = FALSE]
  sapply(split(seq_along(e), cluster), function(rows) {
    part <- x[rows, , drop = FALSE]
    split <- eigen(diag(length(rows)) - part %*% bread %*% t(part), symmetric = TRUE)
    root <- ifelse(split$values > 1e-9, 1 / sqrt(pmax(split$values, 1e-9)), 0)
    drop(weights %*% half %*% t(part) %*% (split$vectors %*% (root * crossprod(split$vectors, e[rows]))))
  }, simplify = "matrix") |> matrix(nrow = nrow(weights))
}

# A one-way CR2 variance of each contrast and its degrees of freedom: Welch's over the levels where
# each cluster belongs to one, else Satterthwaite's of the working model.
one_way <- function(fit, x, cluster, weights, level = NULL) {
  vcov <- vcovCR(fit, cluster = cluster, type = "CR2")
  found <- satterthwaite(fit, vcov, weights)
  squares <- cr2_terms(x, residuals(fit), cluster, weights)^2
  variance <- rowSums(squares)
  stopifnot(all.equal(variance, found$std_error^2, tolerance = 1e-8))
  df <- found$df
  if (!is.null(level) && all(tapply(as.integer(level), cluster, function(l) length(unique(l))) == 1)) {
    own <- level[match(levels(cluster), cluster)]
    df <- apply(squares, 1, function(s) {
      parts <- tapply(s, own, sum)
      sum(s)^2 / sum(parts^2 / pmax(table(own) - 1, 1))
    })
  }
  list(variance = variance, df = df)
}

# V_cell of each contrast, G / (G - p); a cell is a name in a template, whatever else differs.
cell_variance <- function(x, e, d, weights) {
  sums <- rowsum(x * e, interaction(d$name, d$template, drop = TRUE))
  moved <- sums %*% solve(crossprod(x))[, seq_len(ncol(weights)), drop = FALSE] %*% t(weights)
  colSums(moved^2) * nrow(sums) / (nrow(sums) - ncol(x))
}

# V = max(V_name + V_template - V_cell, either), with the fewer of the degrees of freedom that come
# of taking one part as name's or as template's and the rest as the other's.
both_ways <- function(name, template, cell) {
  v <- pmax(name$variance + template$variance - cell, name$variance, template$variance)
  df <- function(a, b) v^2 / (a$variance^2 / pmax(a$df, 1) + (v - a$variance)^2 / pmax(b$df, 1))
  list(variance = v, df = pmin(df(name, template), df(template, name)))
}

two_way_cr2 <- function(fit, x, d, weights, level = NULL) {
  name <- one_way(fit, x, d$name, weights, level)
  template <- one_way(fit, x, d$template, weights, level)
  cell <- cell_variance(x, residuals(fit), d, weights)
  c(both_ways(name, template, cell),
    list(parts = list(name = name$variance, template = template$variance, cell = cell)))
}

tost <- function(estimate, std_error, df, margin) {
  reach <- qt(1 - ALPHA, df) * std_error
  p <- c(pt((estimate + margin) / std_error, df, lower.tail = FALSE), pt((estimate - margin) / std_error, df))
  list(estimate = estimate, std_error = std_error, df = df, ci_low = estimate - reach, ci_high = estimate + reach,
       statistic = min(estimate + margin, margin - estimate) / std_error, p_value = max(p))
}

# Rates of levels over one mixture of templates, with the sizes of independent samples that are as
# precise and the correlations of their errors.
level_errors <- function(fit, d) {
  levels <- levels(d$level); g <- as.integer(d$level); n <- as.vector(table(d$level))
  b <- c(0, coef(fit)[seq_len(length(levels) - 1)])
  effect <- fitted(fit) - b[g]; e <- residuals(fit)
  p <- pmin(pmax(b + mean(effect), 0), 1)
  sums <- function(values, by) {
    found <- tapply(values, list(d$level, by), sum)
    found[is.na(found)] <- 0
    found / n
  }
  distinct <- function(by) vapply(split(by, d$level), function(each) length(unique(each)), 0)
  products <- function(terms, factor) tcrossprod(terms * sqrt(factor))
  m <- distinct(d$name); t <- distinct(d$template); cell <- interaction(d$name, d$template, drop = TRUE)
  own <- tapply(effect - mean(effect), d$template, sum) / nrow(d)
  by_template <- sweep(sums(e, d$template), 2, own[colnames(sums(e, d$template))], "+")
  left <- e - ave(e, d$level, d$name) - ave(e, d$level, d$template)
  cells <- distinct(cell)
  name <- products(sums(e, d$name), m / pmax(m - 1, 1))
  template <- products(by_template, t / pmax(t - 1, 1))
  v <- name + template - products(sums(left, cell), cells / pmax(cells - m - t + 1, 1))
  diag(v) <- pmax(diag(v), diag(name), diag(template))
  alone <- p * (1 - p) / n; varies <- p * (1 - p) > 1e-10
  pooled <- sum(diag(v)[varies]) / sum(alone[varies])
  design_effect <- ifelse(varies, diag(v) / alone, pooled)
  design_effect <- pmax(design_effect, (design_effect + pooled) / 2, 1)
  r <- v / sqrt(outer(diag(v), diag(v))); r[!is.finite(r)] <- 0
  list(p = p, size = n / design_effect, r = pmin(pmax(r, 0), 1))
}

# Newcombe's interval of a difference of rates with correlated errors, z standard errors to either side.
newcombe_limits <- function(errors, i, o, estimate, z) {
  wilson <- function(at) {
    p <- errors$p[at]; n <- errors$size[at]
    (p + z^2 / (2 * n) + c(-1, 1) * abs(z) * sqrt(p * (1 - p) / n + z^2 / (4 * n^2))) / (1 + z^2 / n)
  }
  p <- errors$p[i]; q <- errors$p[o]; r <- errors$r[i, o]; ours <- wilson(i); others <- wilson(o)
  reach <- function(a, b) sqrt(max(a^2 + b^2 - 2 * r * a * b, 0))
  ends <- estimate + c(-1, 1) * c(reach(p - ours[1], others[2] - q), reach(ours[2] - p, q - others[1]))
  if (z < 0) rev(ends) else ends
}

rate_equivalence <- function(errors, i, o, estimate, std_error, df, margin) {
  beyond <- function(z) { ends <- newcombe_limits(errors, i, o, estimate, z); max(ends[2] - margin, -margin - ends[1]) }
  z <- uniroot(beyond, c(-100, 100), tol = 1e-15, maxiter = 10000)$root
  ends <- newcombe_limits(errors, i, o, estimate, qt(1 - ALPHA, df))
  list(estimate = estimate, std_error = std_error, df = df, ci_low = max(ends[1], -1), ci_high = min(ends[2], 1),
       statistic = z, p_value = pt(z, df, lower.tail = FALSE))
}

linear <- function(d, effects, margin) {
  levels <- levels(d$level); tested <- length(levels) - 1; at <- seq_len(tested)
  x <- regressors(d, effects); fit <- fit_of(d$y, x); weights <- pair_weights(levels)
  estimate <- drop(weights %*% coef(fit)[at]); pairs <- pairs_of(levels)
  rows_of <- function(method, std_error, df) {
    lapply(seq_along(pairs), function(i) {
      c(row_of(method, levels, pairs[[i]], estimate = estimate[i]), t_test(estimate[i], std_error[i], df[i]))
    })
  }
  cr1 <- two_way_cr1(fit, d, tested); clusters <- min(nlevels(d$name), nlevels(d$template)) - 1
  both <- two_way_cr2(fit, x, d, weights, d$level); errors <- level_errors(fit, d)
  rows <- c(
    rows_of("ols_two_way", sqrt(rowSums((weights %*% cr1) * weights)), rep(clusters, length(pairs))),
    list(c(list(method = "ols_two_way"), f_test(coef(fit)[at], cr1, clusters))),
    rows_of("ols_cr2_two_way", sqrt(both$variance), both$df),
    lapply(seq_along(pairs), function(i) {
      small <- if (all(d$y %in% 0:1)) rate_equivalence(errors, pairs[[i]][1], pairs[[i]][2], estimate[i],
                                                       sqrt(both$variance[i]), both$df[i], margin)
               else tost(estimate[i], sqrt(both$variance[i]), both$df[i], margin)
      c(row_of("equivalence", levels, pairs[[i]]), small)
    })
  )
  if (!effects) return(rows)
  by_name <- vcovCR(fit, cluster = d$name, type = "CR2")
  found <- satterthwaite(fit, by_name, weights)
  c(rows, rows_of("ols_cr2_name", found$std_error, found$df),
    list(c(list(method = "ols_cr2_name"), htz(fit, by_name, tested))))
}

# Wilson's limits of a rate p, as if of n independent responses.
wilson_limits <- function(p, n, z) {
  middle <- (p + z^2 / (2 * n)) / (1 + z^2 / n)
  half <- z * sqrt(p * (1 - p) / n + z^2 / (4 * n^2)) / (1 + z^2 / n)
  pmin(pmax(c(middle - half, middle + half), 0), 1)
}

# Newcombe's tenth method at effective numbers of responses: each level's variance between names,
# half its own and half by the design effect of all, and the part of templates that moves one level
# and not the other, which both levels bear by p (1 - p).
wilson_two_way <- function(d) {
  levels <- levels(d$level); fit <- fit_of(d$y, regressors(d, TRUE)); d$e <- residuals(fit)
  estimate <- drop(pair_weights(levels) %*% coef(fit)[seq_len(length(levels) - 1)])
  n <- as.vector(table(d$level)); p <- as.vector(tapply(d$y, d$level, mean)); spread <- p * (1 - p)
  parts <- split(d, d$level)
  names_of <- vapply(parts, function(l) length(unique(l$name)), 0)
  own <- vapply(parts, function(l) {
    sums <- tapply(l$e, droplevels(l$name), sum)
    length(sums) / (length(sums) - 1) * sum(sums^2) / nrow(l)^2
  }, 0)
  effect <- sum((names_of - 1) * n * own) / sum((names_of - 1) * spread)
  v <- (own + effect * spread / n) / 2
  cell <- vapply(parts, function(l) {
    l <- droplevels(l)
    left <- tapply(l$e, list(l$name, l$template), mean)
    left <- sweep(sweep(left, 1, tapply(l$e, l$name, mean)), 2, tapply(l$e, l$template, mean))
    sum(left^2, na.rm = TRUE) / max(sum(!is.na(left)) - sum(dim(left)) + 1, 1)
  }, 0)
  counts <- lapply(parts, function(l) table(l$name, l$template))
  size <- lapply(counts, colSums)
  share <- lapply(counts, function(c) colSums(c^2) / pmax(colSums(c), 1)^2)
  moved <- lapply(parts, function(l) {
    means <- tapply(l$e, l$template, mean)
    ifelse(is.na(means), 0, means)
  })
  pairs <- pairs_of(levels)
  lapply(seq_along(pairs), function(at) {
    i <- pairs[[at]][1]; o <- pairs[[at]][2]
    w <- size[[i]] * size[[o]] / pmax(size[[i]] + size[[o]], 1); w <- w / sum(w); s <- sum(w > 0)
    apart <- moved[[i]] - moved[[o]]; apart <- apart - sum(w * apart)
    noise <- cell[i] * sum(w^2 * share[[i]]) + cell[o] * sum(w^2 * share[[o]])
    templates <- max(s / (s - 1) * sum((w * apart)^2) - noise, 0)
    number <- function(l) {
      if (spread[l] == 0) return(min(n[l] / effect, n[l]))
      min(spread[l] / (v[l] + templates * spread[l] / (spread[i] + spread[o])), n[l])
    }
    variance <- v[i] + v[o] + templates
    df <- variance^2 / (v[i]^2 / (names_of[i] - 1) + v[o]^2 / (names_of[o] - 1) + templates^2 / (s - 1))
    reach <- function(z, side) {
      own <- wilson_limits(p[i], number(i), z); other <- wilson_limits(p[o], number(o), z)
      if (side < 0) sqrt((p[i] - own[1])^2 + (other[2] - p[o])^2) else sqrt((own[2] - p[i])^2 + (p[o] - other[1])^2)
    }
    b <- estimate[at]; z <- qt(1 - ALPHA / 2, df)
    distance <- uniroot(function(z) reach(z, -sign(b)) - abs(b), c(0, 64), tol = 1e-13)$root
    row_of("wilson_two_way", levels, pairs[[at]], estimate = b, std_error = unname(sqrt(variance)), df = unname(df),
           ci_low = max(b - reach(z, -1), -1), ci_high = min(b + reach(z, 1), 1),
           statistic = sign(b) * distance, p_value = unname(2 * pt(-distance, df)),
           effective_group = unname(number(i)), effective_reference = unname(number(o)))
  })
}

logistic <- function(d) {
  repeat {
    flat <- Reduce(`|`, lapply(c("template", "level"), function(key) {
      rate <- ave(d$y, d[[key]]); rate == 0 | rate == 1
    }))
    if (!any(flat)) break
    d <- d[!flat, ]
  }
  d <- droplevels(d)
  levels <- levels(d$level); tested <- length(levels) - 1; at <- seq_len(tested); weights <- pair_weights(levels)
  fit <- fit_of(d$y, regressors(d, TRUE), binomial); estimate <- drop(weights %*% coef(fit)[at])
  pairs <- pairs_of(levels)
  rows_of <- function(method, std_error, df) {
    lapply(seq_along(pairs), function(i) {
      found <- t_test(estimate[i], std_error[i], df[i])
      found[c("ci_low", "ci_high")] <- lapply(found[c("ci_low", "ci_high")], exp)
      c(row_of(method, levels, pairs[[i]], estimate = exp(estimate[i])), found)
    })
  }
  sandwich_rows <- function(method, v, clusters) {
    c(rows_of(method, sqrt(rowSums((weights %*% v) * weights)), rep(clusters - 1, length(pairs))),
      list(c(list(method = method), f_test(coef(fit)[at], v, clusters - 1))))
  }
  one <- function(cluster) vcovCL(fit, cluster = cluster, type = "HC1", cadjust = TRUE)[at, at, drop = FALSE]
  cr2 <- vcovCR(fit, cluster = d$name, type = "CR2"); by_name <- satterthwaite(fit, cr2, weights)
  m <- nlevels(d$name); s <- nlevels(d$template)
  c(sandwich_rows("glm_cluster_name", one(d$name), m), sandwich_rows("glm_cluster_template", one(d$template), s),
    sandwich_rows("glm_cluster_two_way", two_way_cr1(fit, d, tested), min(m, s)),
    rows_of("glm_cr2_name", by_name$std_error, by_name$df),
    list(c(list(method = "glm_cr2_name"), htz(fit, cr2, tested))))
}

# The linear model with an attribute of names, log frequency, beside levels and templates.
covariate <- function(d) {
  tested <- nlevels(d$level) - 1
  x <- regressors(d, TRUE, cbind(log_frequency = d$log_frequency)); fit <- fit_of(d$y, x)
  weights <- diag(tested + 1)                              # each level less the reference, and the slope
  by_name <- vcovCR(fit, cluster = d$name, type = "CR2"); found <- satterthwaite(fit, by_name, weights)
  by_template <- satterthwaite(fit, vcovCR(fit, cluster = d$template, type = "CR2"), weights)
  both <- two_way_cr2(fit, x, d, weights)
  cr1 <- two_way_cr1(fit, d, tested + 1)
  c(list(terms = c(levels(d$level)[-1], "log_frequency"), estimate = found$estimate,
         std_error_name = found$std_error, df_name = found$df, std_error_template = by_template$std_error,
         df_template = by_template$df, variance_cell = both$parts$cell, std_error_two_way = sqrt(both$variance),
         df_two_way = both$df, std_error_two_way_cr1 = sqrt(diag(cr1))),
    list(htz = htz(fit, by_name, tested + 1)))
}
