"""The console's own widgets: they draw spans of text and style tokens, and know no screen, no app and no engine."""
