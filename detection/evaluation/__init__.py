"""How good the detectors are on labelled clips: figures with intervals, as text, JSON and one HTML page."""
