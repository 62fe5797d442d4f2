"""The one registry of what an operator can do. Keys, key line, help, palette, `:` line and docs are made from it."""
