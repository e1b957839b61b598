"""The command line, and programs that make pages and figures anew."""
