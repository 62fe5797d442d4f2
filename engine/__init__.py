"""The engine: runs DAGs, owns the state store, answers on the control socket. No screen lives here."""
