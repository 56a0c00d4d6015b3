"""The sample server of mock mode: data and rules in memory, one copy per client, no network."""
