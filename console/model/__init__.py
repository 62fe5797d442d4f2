"""What the console knows: an immutable picture of the home at one commit, the link to the engine, what was asked for.

Pure. Untrusted text is sanitised exactly where it enters these types (`console.model.reading`), so views may draw it.
"""
