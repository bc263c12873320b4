"""Everything in memory: for unit tests, and for the tests of whoever builds on Hallporter (docs/testing.md).

The contract suites hold these adapters to the behaviour of the real ones. Each is called as its port; those of a block
keep their rows in `store`.
"""
