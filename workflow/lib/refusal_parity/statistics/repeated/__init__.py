"""The methods over many studies of one design at once, for simulations.

Each function here does for thousands of tables of counts what a function of
the package above does for one; tests/statistics/test_repeated.py holds them
equal.
"""
