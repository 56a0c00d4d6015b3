"""HTTP: each route parses, calls one service and returns."""
