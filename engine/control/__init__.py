"""The control socket: how consoles and the command line look at a running engine and ask it for changes."""
