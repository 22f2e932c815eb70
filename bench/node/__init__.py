"""What a person's node does in how much time: `./dev bench node`."""
