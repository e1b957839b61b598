"""What is read off a result file: labels, readouts, accuracy, receptive fields, figures, the ledger."""
