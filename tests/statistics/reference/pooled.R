# Likeliest effects of names and templates in a crossed probit model of given variances, by lme4.

POOLED <- list(mean = -0.5, name = 0.6, template = 0.9)

# Nothing is optimised but the effects: standard deviations and intercept are those above.
pooled <- function(d) {
  at <- function(devfun, theta) { devfun(c(theta, POOLED$mean)); environment(devfun)$pp$b(1) }
  parts <- glFormula(y ~ 1 + (1 | name) + (1 | template), d, family = binomial("probit"))
  devfun <- updateGlmerDevfun(do.call(mkGlmerDevfun, c(parts, list(control = glmerControl(tolPwrss = 1e-12)))), parts$reTrms)
  kinds <- names(parts$reTrms$cnms)
  effects <- at(devfun, vapply(kinds, function(kind) POOLED[[kind]], 0))
  unlist(lapply(seq_along(kinds), function(i) {
    keys <- levels(parts$reTrms$flist[[kinds[i]]])
    own <- effects[seq_along(keys) + sum(lengths(lapply(parts$reTrms$flist, levels)[kinds[seq_len(i - 1)]]))]
    lapply(seq_along(keys), function(j) list(kind = kinds[i], key = keys[j], effect = own[j]))
  }), recursive = FALSE)
}
