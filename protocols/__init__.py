"""One file a paper: how its network is trained and tested, and the numbers that it reports."""
