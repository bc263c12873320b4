"""What is true: entities, value objects, events and errors. Standard library only, and synchronous."""
