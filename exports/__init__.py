"""Folders that stand alone: a network's programs with what they need to train and label without Python, and back."""
