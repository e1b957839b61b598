"""What is read off a result file: labels, accuracies, receptive fields, figures and reports."""
