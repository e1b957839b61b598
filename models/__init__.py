"""One file a paper, reading like its Methods: the parameter table, then the network."""
