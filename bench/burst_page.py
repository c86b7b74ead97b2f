"""The list page for ``bench.burst``, answered in a process of its own: ``python -m bench.burst_page BEARER``.

Each line on standard input is a number of pages to answer; the answer is one line of JSON: the median CPU milliseconds
of one, and the read units of one by our own calculator (the local engine does not count reads as AWS does).  It runs in
the functions' environment, on the table that the burst is filling, and its CPU is its own: it does not wait for others.
"""

import json
import statistics
import sys
import time

from bench.meter import Meter
from bench.request import answer_of, api_event
from chalicelib import wiring

PAGE = 50


def main() -> None:
    event = api_event(f"/tickets?limit={PAGE}", "/tickets", sys.argv[1])
    answer_of(event)  # imports, connections
    meter = Meter(wiring.client("dynamodb"))
    for line in sys.stdin:
        taken = []
        for _ in range(int(line)):
            begun = time.process_time()
            rows = len(json.loads(answer_of(event))["items"])
            taken.append((time.process_time() - begun) * 1000)
        with meter:
            answer_of(event)
        units = meter.units().read
        meter.calls.clear()
        print(json.dumps({"cpu_ms": statistics.median(taken), "read_units": units, "rows": rows}), flush=True)


if __name__ == "__main__":
    main()
