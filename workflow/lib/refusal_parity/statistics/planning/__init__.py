"""What differences a design finds, and what others would take."""
