"""What can be done: one use case a file, and the ports that they need. Imports the domain only."""
