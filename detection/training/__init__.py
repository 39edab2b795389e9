"""Training of the detectors' networks from genuine photographs. Needs requirements-train.txt; the site does not."""
