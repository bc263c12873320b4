"""Doing once what is asked for several times."""
