"""Reproduced numbers in rows: the tables, figures and claims that are made from them."""
