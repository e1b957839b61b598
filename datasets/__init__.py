"""Images with labels: published sets, files of one's own, and which of them are trained and tested on."""
