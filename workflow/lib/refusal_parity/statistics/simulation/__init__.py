"""Studies simulated from a study's own variance, and how often methods err in them."""
