"""The owner comes first: settings, policy, signals, and the node that obeys them."""
