"""A synthetic corpus of real words: espeak-ng speaks, and a face moves with the phonemes' exact times."""
