"""Names permuted, split, left out or drawn anew."""
