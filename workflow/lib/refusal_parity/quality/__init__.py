"""What answers are like beyond being answers: caveats, moralising, readability."""
