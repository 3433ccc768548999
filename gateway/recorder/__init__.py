"""The recorder: a process of its own that writes what the stream says into the database."""
