"""What a study answers to each of its questions."""
