"""What a study said that it would do, before it did it."""
