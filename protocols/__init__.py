"""What is done to a model: data sets, presentation, training, evaluation, reproduction, command line."""
