"""Everything in memory: for unit tests, and for the tests of whoever builds on Hallporter.

The contract suites hold these adapters to the behaviour of the real ones.
"""
