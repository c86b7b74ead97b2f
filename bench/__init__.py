"""What the desk must show, in figures: ``python -m bench.NAME --json``, one JSON object on the last line."""
