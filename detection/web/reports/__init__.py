"""The result of a run to take away: as PDF for a file, as JSON for programs, as CSV for tables."""
