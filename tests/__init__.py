"""The tests: folders mirror the rooms; oracles are plain NumPy."""
