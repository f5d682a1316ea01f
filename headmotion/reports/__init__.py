"""What HTML reports share. A report is one file without external resources; it needs the extra ``report``."""
