"""Guards in front of a model: what they read, what they stop, and what that makes of responses."""
