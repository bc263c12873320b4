"""What people are told, and how it gets to them."""
