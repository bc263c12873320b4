"""What one starts, and the only place that knows every adapter."""
