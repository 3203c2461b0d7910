"""What a router, a node and a consumer say to each other: frames, chat, status, limits."""
