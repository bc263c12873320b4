"""Where the time of a request or a job went, for whoever keeps traces. Loaded only where it is switched on."""
