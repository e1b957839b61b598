"""What is done with trained networks, and papers' tables made again."""
