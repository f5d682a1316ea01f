"""Speech into motion: heads, faces, bodies."""
