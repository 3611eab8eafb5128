"""What methods are worth in the very study: how often they err on studies simulated like it."""
