"""The HTTP client of Basecamp; the only place of the library that speaks HTTP."""
