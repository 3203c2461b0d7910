"""The embedded network: what `idleclaw-tui local` runs on the user's own machine."""
