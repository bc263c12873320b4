"""Hashing, signing and sealing. The only place that imports libraries for them."""
