"""What clients may know about how this service is set up."""
