"""How far labellings of the same responses agree, and for whom they err."""
