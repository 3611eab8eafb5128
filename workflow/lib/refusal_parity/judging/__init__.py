"""A language model that labels responses by the written rubric."""
