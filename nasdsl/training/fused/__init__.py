"""Several networks of one structure trained as one program; see group.py."""
