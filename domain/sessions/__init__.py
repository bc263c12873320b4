"""Who is at the door, and with which key."""
