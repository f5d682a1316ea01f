"""The lower part of Whisper's encoder (Radford et al., 2022) as an audio encoder that streams."""
