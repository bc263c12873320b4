"""Who lives in the house."""
