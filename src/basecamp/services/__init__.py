"""What Basecamp does, free of HTTP: each change is one transaction with its audit row."""
