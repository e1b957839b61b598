"""Reusable mechanisms as Brian2 equation strings: symbols only, never numbers."""
