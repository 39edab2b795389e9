"""Training of the detectors' networks from genuine face photographs. Needs requirements-train.txt; the site does not."""
