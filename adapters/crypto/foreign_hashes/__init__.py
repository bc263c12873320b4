"""Password hashes of other systems: what they are, what they cost, and whether a password made them.

`recognition` reads every notation. There is one module for each family, and in it a small class whose instances know
their one spelling (`encoded`) and check a password. Libraries that only one family needs are loaded when one of its
hashes is checked.
"""
