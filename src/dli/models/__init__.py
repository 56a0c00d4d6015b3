"""Data only: specs, states and results."""
