"""The problems, one short file each."""
