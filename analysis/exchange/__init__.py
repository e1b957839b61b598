"""A run's results in the files of other tools: Neo, NWB, SONATA, CSV and NPZ. From result files alone."""
