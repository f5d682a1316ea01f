"""What new plugins are made of: one package per kind, working code but for ``$name``, and what they all share."""
