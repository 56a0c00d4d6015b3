"""What runs workflows: the embedded engine, and later others behind the same protocol."""
