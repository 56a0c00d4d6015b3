"""Run SQL on stored data."""
