"""What the engine says of itself: its log, and figures of its own processes."""
