"""Identity providers: who signs for people and jobs, asked over HTTP and checked."""
