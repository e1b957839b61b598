"""The tests: folders mirror the packages; oracles are plain NumPy."""
