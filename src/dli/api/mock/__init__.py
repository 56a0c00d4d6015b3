"""The fixed answers of MOCK mode, one module per API class."""
