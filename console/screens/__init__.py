"""What the console shows: panes for the views, and dialogs over them. They draw scenes and know no backend."""
