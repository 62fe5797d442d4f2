"""The version of this installation, and of the forms it reads and writes."""

VERSION = "0.1.0"
SCHEMA_MAJOR, SCHEMA_MINOR = 1, 0
SCHEMA = 1000 * SCHEMA_MAJOR + SCHEMA_MINOR
"""`user_version` of the store: a minor only adds."""
