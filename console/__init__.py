"""The operator's faces: the full-screen console and the command line."""
