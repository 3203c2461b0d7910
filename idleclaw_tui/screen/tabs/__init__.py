"""The three tabs, each with its handlers and its own messages."""
