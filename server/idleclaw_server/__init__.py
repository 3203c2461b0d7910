"""The router: knows the nodes, picks one for each request, relays the tokens."""
