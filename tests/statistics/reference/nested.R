# CR2 by unit of levels' means, as test_nested.py has them: Rscript nested.R. Unit s meets both levels.
suppressMessages(library(clubSandwich))
d <- data.frame(level = rep(c("x", "y"), c(5, 4)), unit = c("a", "b", "c", "d", "s", "e", "f", "g", "s"),
                n = c(3, 3, 2, 3, 1, 4, 3, 3, 2), k = c(0, 1, 2, 0, 1, 4, 1, 3, 1))
long <- d[rep(seq_len(nrow(d)), d$n), ]
long$y <- unlist(mapply(function(k, n) rep(1:0, c(k, n - k)), d$k, d$n))
fit <- lm(y ~ 0 + level, long)
v <- vcovCR(fit, cluster = long$unit, type = "CR2")
print(v[c(1, 2, 4)], digits = 12)
print(coef_test(fit, v, test = "Satterthwaite")$df, digits = 12)
print(linear_contrast(fit, v, contrasts = matrix(c(-1, 1), 1))$SE, digits = 12)
