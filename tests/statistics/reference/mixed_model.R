# The crossed mixed model, and derivatives by differences. `d` as in methods.R.

# The Laplace likelihood of `glmer`, written out: its optimiser stops where the deviance is flat, with
# errors and coefficients that are right to three digits, from where Newton steps go on.
mixed_model <- function(d) {
  fit <- function(formula) {
    loose <- suppressMessages(suppressWarnings(glmer(formula, d, family = binomial, control = glmerControl(tolPwrss = 1e-9))))
    deviance <- laplace_deviance(model.matrix(loose), d)
    theta <- setNames(getME(loose, "theta"), names(getME(loose, "flist")))
    start <- c(theta[c("name", "template")], fixef(loose))
    at <- start
    for (step in 1:3) at <- at - solve(second_differences(deviance, at), first_differences(deviance, at))
    stopifnot(all.equal(unname(at), unname(start), tolerance = 1e-2),
              abs(deviance(at) + 2 * as.numeric(logLik(loose))) < 1e-3)
    fixed <- -(1:2)
    list(b = unname(at[fixed]), v = solve(second_differences(deviance, at) / 2)[fixed, fixed, drop = FALSE],
         sizes = unname(at[1:2]^2), log_likelihood = -deviance(at) / 2)
  }
  full <- fit(y ~ level + (1 | name) + (1 | template)); null <- fit(y ~ 1 + (1 | name) + (1 | template))
  b <- full$b[-1]; v <- full$v[-1, -1, drop = FALSE]
  list(coefficients = full$b, std_error = sqrt(diag(full$v)), variances = full$sizes, null_intercept = null$b,
       null_variances = null$sizes, log_likelihood = full$log_likelihood, null_log_likelihood = null$log_likelihood,
       ratio = 2 * (full$log_likelihood - null$log_likelihood), wald = drop(b %*% solve(v, b)))
}

# -2 log L of the standard deviations of names and templates, then of the coefficients.
laplace_deviance <- function(x, d) {
  z <- cbind(model.matrix(~ 0 + name, d), model.matrix(~ 0 + template, d))
  kind <- rep(1:2, c(nlevels(d$name), nlevels(d$template)))
  mode <- numeric(ncol(z))
  function(at) {
    scaled <- t(t(z) * at[kind]); base <- drop(x %*% at[-(1:2)])
    eta <- function(u) base + drop(scaled %*% u)
    penalised <- function(u) sum(plogis(ifelse(d$y == 1, 1, -1) * eta(u), log.p = TRUE)) - sum(u^2) / 2
    root <- function(p) chol(crossprod(scaled * sqrt(p * (1 - p))) + diag(ncol(z)))
    for (iteration in 1:50) {
      p <- plogis(eta(mode)); r <- root(p)
      step <- drop(backsolve(r, forwardsolve(t(r), crossprod(scaled, d$y - p) - mode)))
      while (penalised(mode + step) < penalised(mode) - 1e-9) step <- step / 2
      mode <<- mode + step
      if (max(abs(step)) < 1e-10) break
    }
    stopifnot(max(abs(step)) < 1e-10)
    -2 * penalised(mode) + 2 * sum(log(diag(root(plogis(eta(mode))))))
  }
}

first_differences <- function(f, at, h = 1e-3) {
  vapply(seq_along(at), function(i) {
    sum(c(-1, 8, -8, 1) * vapply(c(2, 1, -1, -2), function(s) f(replace(at, i, at[i] + s * h)), 0)) / (12 * h)
  }, 0)
}

second_differences <- function(f, at, h = 1e-3) {
  corner <- function(i, j, a, b) { at[i] <- at[i] + a * h; at[j] <- at[j] + b * h; f(at) }
  found <- diag(length(at))
  for (i in seq_along(at)) for (j in seq_len(i)) {
    found[i, j] <- found[j, i] <- (corner(i, j, 1, 1) - corner(i, j, 1, -1) - corner(i, j, -1, 1) + corner(i, j, -1, -1)) / (4 * h^2)
  }
  found
}
