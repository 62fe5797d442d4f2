"""The state store: one SQLite file, one writer, any number of short readers.

Nothing but SQLite's own library ever opens the database's files: closing any other descriptor of them would drop
the locks of the whole process, and with them committed changes.
"""
