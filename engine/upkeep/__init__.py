"""What keeps a home well for years: backups, restoring, salvage, retention, room on the disk, evidence."""
