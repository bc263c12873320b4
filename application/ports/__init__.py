"""What the core asks of the world. Every port has at least two implementations; the fakes count."""
