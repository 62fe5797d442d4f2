"""The command `dagdeck`: every action of the console for scripts, under the same names."""
