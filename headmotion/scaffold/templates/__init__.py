"""Templates of new plugins: one package per kind, working code except for ``$name``, and the files that all share."""
