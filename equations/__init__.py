"""Mechanisms that several models share, as Brian2 equation strings: symbols only, no numbers of equations."""
