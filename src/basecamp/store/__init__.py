"""State: tables, migrations and every SQL statement that reads or changes them."""
