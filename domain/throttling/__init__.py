"""How much of something anybody may do in a time."""
