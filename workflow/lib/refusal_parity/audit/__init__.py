"""People in the loop: what they label, what they said, and how far machines agree with them."""
