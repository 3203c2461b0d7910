"""Measurements: run by hand, never by the test command. All of them compare within one run."""
