"""Sound, pictures and video, in and out: one reader and one writer of each."""
