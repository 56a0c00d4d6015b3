"""The command line: read options, call the client or the API, print."""
