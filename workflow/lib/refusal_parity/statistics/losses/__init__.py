"""Who was left out, cut off or refused by the service, and what that may hide."""
