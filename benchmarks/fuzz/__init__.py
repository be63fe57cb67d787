"""Texts that are no spaces, or hardly: what reading a file must bear."""
