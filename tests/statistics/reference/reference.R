# What R says of the studies beside this file, by its own packages where they have the method and
# by the published formula, written out densely, where they have not.
#
#   Rscript reference.R [FILE]     writes reference.json, or the file named
#
# Rows bear the names of the package's tables, so that a test finds the number that belongs to each.

needed <- c("clubSandwich", "sandwich", "lme4", "jsonlite")
missing <- setdiff(needed, rownames(installed.packages()))
if (length(missing)) stop("R lacks ", paste(missing, collapse = ", "), ": `make reference` installs it on Debian")
suppressMessages(for (each in needed) library(each, character.only = TRUE))

arguments <- commandArgs(FALSE)
here <- dirname(normalizePath(sub("--file=", "", grep("--file=", arguments, value = TRUE))))
for (part in c("methods.R", "names.R", "mixed_model.R", "pooled.R", "listed.R")) source(file.path(here, part))

DIMENSIONS <- list(
  complete = c("group", "gender", "family"), unbalanced = "group", rare = "group",
  arms = c("group", "arm", "family"), covariate = "group"
)
REFUSED <- c("refusal", "harmful_refusal")
OUTCOMES <- list(
  refusal = function(label) label %in% REFUSED,
  harmful_refusal = function(label) label == "harmful_refusal",
  no_full_answer = function(label) label != "answer"
)
OF_NAMES <- c("group", "gender")
VALID <- c("ols_cr2_two_way", "wilson_two_way", "equivalence", "ols_cr2_name",
           "permutation_names_exact", "welch_names")

read_study <- function(key) {
  d <- read.csv(file.path(here, paste0(key, ".csv")), na.strings = "", colClasses = c(label = "character"))
  d[!is.na(d$label), ]
}

# The responses that speak to an outcome as y, and the levels of a dimension, the reference first.
with_outcome <- function(d, outcome, dimension) {
  if (outcome == "answer_length") {
    d <- d[d$label == "answer", ]
    d$y <- d$words
  } else {
    d$y <- as.numeric(OUTCOMES[[outcome]](d$label))
  }
  d$level <- factor(d[[dimension]])
  for (key in c("name", "template")) d[[key]] <- factor(d[[key]])
  d
}

# --- rates -------------------------------------------------------------------------------------

BREAKDOWNS <- list(c("all", "all"), c("group", "all"), c("gender", "all"), c("family", "all"),
  c("arm", "all"), c("template", "all"), c("name", "all"), c("sample", "all"),
  c("group", "gender"), c("group", "template"), c("name", "group"))

rates <- function(d) {
  d$all <- "all"
  parts <- list()
  for (breakdown in Filter(function(each) all(each %in% names(d)), BREAKDOWNS)) {
    for (outcome in if (identical(breakdown, c("group", "all"))) names(OUTCOMES) else "refusal") {
      split_by <- interaction(d[[breakdown[1]]], d[[breakdown[2]]], sep = "|", drop = TRUE)
      found <- lapply(split(d, split_by), function(part) {
        y <- as.numeric(OUTCOMES[[outcome]](part$label))
        wilson <- suppressWarnings(prop.test(sum(y), length(y), correct = FALSE)$conf.int)
        c(list(outcome = outcome, dimension = breakdown[1], group = as.character(part[[breakdown[1]]][1]),
               within = breakdown[2], within_group = as.character(part[[breakdown[2]]][1]),
               n = length(y), k = sum(y), rate = mean(y),
               wilson_low = wilson[1], wilson_high = wilson[2]),
          clustered_mean(y, part$name, part$template))
      })
      parts <- c(parts, with_limits(unname(found)))
    }
  }
  parts
}

# Two-way clustered error of a mean, by sandwich, with what its limits take.
clustered_mean <- function(y, name, template) {
  m <- length(unique(name)); s <- length(unique(template))
  if (min(m, s) < 2) return(list())
  if (var(y) == 0) return(list(variance = 0, freedom = min(m, s) - 1, units = min(m, s)))
  fit <- lm(y ~ 1)
  one <- function(cluster) vcovCL(fit, cluster = cluster, type = "HC1", cadjust = TRUE)[1]
  both <- one(data.frame(name = name, template = template)); single <- c(one(name), one(template))
  whole <- max(both, single)
  list(std_error = sqrt(if (both > 1e-12 * max(single)) both else max(single)), variance = whole,
       freedom = whole^2 / (single[1]^2 / (m - 1) + (whole - single[1])^2 / (s - 1)), units = min(m, s))
}

# Wilson's limits at the effective number of responses: the variance of a level counts half, and the
# design effect of all levels of the table the other half.
with_limits <- function(rows) {
  spread <- function(r) r$rate * (1 - r$rate)
  several <- Filter(function(r) !is.null(r$variance), rows)
  whole <- sum(vapply(several, spread, 0))
  effect <- sum(vapply(several, function(r) r$n * r$variance, 0)) / whole
  lapply(rows, function(r) {
    if (!is.null(r$variance)) {
      among <- if (whole == 0) r$units else if (spread(r) == 0) r$n / effect else
        2 * spread(r) / (r$variance + effect * spread(r) / r$n)
      limits <- wilson_limits(r$rate, min(among, r$n), qt(1 - ALPHA / 2, max(r$freedom, 1)))
      r[c("ci_low", "ci_high")] <- limits
    }
    r[setdiff(names(r), c("variance", "freedom", "units"))]
  })
}

# --- comparisons -------------------------------------------------------------------------------

compare_levels <- function(d, dimension, outcome) {
  data <- with_outcome(d, outcome, dimension)
  binary <- outcome != "answer_length"
  of_templates <- dimension == "family"
  margin <- if (binary) MARGIN else LENGTH_MARGIN
  rows <- linear(data, effects = !of_templates, margin = margin)
  if (binary) rows <- c(rows, proportions(data))
  if (binary && !of_templates) rows <- c(rows, mantel_haenszel(data), logistic(data))
  if (dimension %in% OF_NAMES) rows <- c(rows, of_names(data), if (binary) wilson_two_way(data))
  lapply(rows, function(row) c(list(outcome = outcome, dimension = dimension), row))
}

# Names or templates of a level without which a test of it is none of the family.
LEAST <- 4
OF_TEMPLATES_TOO <- c("ols_cr2_two_way", "wilson_two_way", "equivalence")

has_enough <- function(d, row) {
  d <- d[!is.na(d[[row$dimension]]), ]
  all(vapply(c(row$group, row$reference), function(level) {
    at <- d[[row$dimension]] == level & (row$outcome != "answer_length" | d$label == "answer")
    length(unique(d$name[at])) >= LEAST &&
      (!(row$method %in% OF_TEMPLATES_TOO) || length(unique(d$template[at])) >= LEAST)
  }, TRUE))
}

# Holm within the primary family, Benjamini and Hochberg over the other comparisons with a reference
# and, apart from them, over the other pairs; each within one method.
adjusted <- function(rows, references, d) {
  keep <- vapply(rows, function(r) r$method %in% VALID && !is.null(r$group) && has_enough(d, r), TRUE)
  family <- vapply(rows, function(r) {
    if (is.null(r$group)) return("")
    against <- r$reference == references[[r$dimension]]
    primary <- r$outcome == "refusal" && r$dimension == "group"
    paste(if (!against) "pairs" else if (primary) "primary" else "others", r$method)
  }, "")
  for (each in unique(family[keep])) {
    at <- which(keep & family == each)
    p <- p.adjust(vapply(rows[at], function(r) r$p_value, 0), if (startsWith(each, "primary")) "holm" else "BH")
    for (i in seq_along(at)) rows[[at[i]]]$p_adjusted <- p[i]
  }
  rows
}

# No interval of a difference of rates goes beyond what these can differ by.
within_reach <- function(row) {
  ratio <- row$method %in% c("katz", "mantel_haenszel") || startsWith(row$method, "glm_")
  if (ratio || row$outcome == "answer_length") return(row)
  for (end in intersect(c("ci_low", "ci_high"), names(row))) row[[end]] <- min(max(row[[end]], -1), 1)
  row
}

disparities <- function(d, dimensions) {
  rows <- list()
  for (dimension in dimensions) {
    outcomes <- c("refusal", if ("words" %in% names(d)) "answer_length")
    for (outcome in outcomes) rows <- c(rows, compare_levels(d, dimension, outcome))
  }
  adjusted(lapply(rows, within_reach), lapply(setNames(dimensions, dimensions), function(each) min(d[[each]])), d)
}

# Holm and Benjamini-Hochberg over all pairs of groups.
adjustments <- function(rows) {
  lapply(c("chi_square", "permutation_names_exact"), function(method) {
    pairs <- Filter(function(r) r$method == method && !is.null(r$group) && r$dimension == "group" &&
                      r$outcome == "refusal", rows)
    p <- vapply(pairs, function(r) r$p_value, 0)
    list(p = I(p), holm = I(p.adjust(p, "holm")), bh = I(p.adjust(p, "BH")))
  })
}

# --- all of it ---------------------------------------------------------------------------------

one_study <- function(key) {
  d <- read_study(key)
  refusals <- with_outcome(d, "refusal", "group")
  compared <- disparities(d, DIMENSIONS[[key]])
  c(
    list(rates = rates(d), disparities = compared, adjustments = adjustments(compared),
         influence = influences(refusals), mixed_model = mixed_model(refusals), pooled = pooled(refusals)),
    if (key == "covariate") list(components = components(refusals), covariate = covariate(refusals))
  )
}

# One row a line, with twelve digits: what two machines agree on.
as_json <- function(x, indent = "") {
  is_rows <- is.list(x) && is.null(names(x)) && length(x) > 0 && is.list(x[[1]])
  inside <- paste0(indent, " ")
  if (is_rows) {
    rows <- vapply(x, function(row) toJSON(row, auto_unbox = TRUE, digits = I(12), na = "null"), "")
    return(paste0("[\n", paste0(inside, rows, collapse = ",\n"), "\n", indent, "]"))
  }
  if (!any(vapply(x, is.list, TRUE))) return(toJSON(x, auto_unbox = TRUE, digits = I(12), na = "null"))
  parts <- vapply(names(x), function(key) paste0(inside, "\"", key, "\": ", as_json(x[[key]], inside)), "")
  paste0("{\n", paste(parts, collapse = ",\n"), "\n", indent, "}")
}

packages <- setdiff(needed, "jsonlite")
meta <- list(
  R = paste(R.version$major, R.version$minor, sep = "."),
  packages = lapply(setNames(packages, packages), function(each) as.character(packageVersion(each))),
  settings = list(alpha = ALPHA, margin = MARGIN, length_margin = LENGTH_MARGIN)
)
studies <- lapply(setNames(names(DIMENSIONS), names(DIMENSIONS)), one_study)
target <- commandArgs(TRUE)
writeLines(as_json(list(meta = meta, power = power_table(), listed = listed(), studies = studies)),
           if (length(target)) target[1] else file.path(here, "reference.json"))
