"""What happens and how we are doing, in numbers for Prometheus. Loaded only where it is switched on."""
