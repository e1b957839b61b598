"""Models by name or by a user's file, and a model in words."""
