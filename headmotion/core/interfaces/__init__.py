"""What each kind of part promises: one file per kind, with the capabilities that a part may declare."""
