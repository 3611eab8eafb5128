"""First tokens that settle whether a response refuses, and how probable they are."""
