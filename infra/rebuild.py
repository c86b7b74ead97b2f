"""``make rebuild STAGE=prod``: make lists, counters and search words anew from the tickets and their messages.

``CHECK=1``: only say whether search finds what the messages say.

The desk goes on working meanwhile.  Cut off, the next call goes on where this one was.
"""

import argparse
import importlib
import sys
import time
from collections.abc import Callable

from infra import desk, package
from infra.deploy import clients
from infra.stack import Client, Say

SHOWN = 5
"""Words of a thousand tickets, and tickets of a word, that a check names."""
WORDS_A_SECOND = 500.0
"""So few that the functions, which share the table, do not notice: a partition takes 1,000 writes a second."""


def rebuild(
    stage: str, client: Client, parts: list[str], say: Say = print, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Rebuild ``parts`` ("lists", "counts", "words"; none means all) of a stage."""
    desk.connect(stage, client)
    config, service = (importlib.import_module(f"chalicelib.{name}") for name in ("config", "services.rebuild"))
    progress = service.begin(parts or service.PARTS, config.now())
    if progress.tickets:
        say(f"Going on at ticket {progress.next}, where the last rebuild was cut off.")
    while not service.is_done(progress):
        before = progress
        progress = service.step(progress, config.now())
        say(f"Tickets up to {min(progress.next - 1, progress.last)} of {progress.last}.")
        sleep((progress.words - before.words) / WORDS_A_SECOND)
    drift = service.finish(progress, config.now())
    say(
        f"{progress.tickets} tickets: {progress.lists} were not rightly listed, {progress.counts} not rightly counted; "
        f"the totals were off by {drift}; {progress.words} blocks of words were wrong."
    )


def check(stage: str, client: Client, say: Say = print) -> bool:
    """Say whether each ticket is found by what its messages say, and by nothing else."""
    desk.connect(stage, client)
    service, missing, extra = importlib.import_module("chalicelib.services.rebuild"), 0, 0
    for number, found in service.check():
        missing, extra = missing + sum(map(len, found.missing.values())), extra + sum(map(len, found.extra.values()))
        for what, words in (("missing", found.missing), ("too much", found.extra)):
            for word in sorted(words)[:SHOWN]:
                say(f"“{word}” is {what} at {', '.join(map(str, sorted(words[word])[:SHOWN]))}")
        say(f"Tickets up to {number}.")
    say(f"{missing} words are missing, {extra} are too much.")
    return not missing and not extra


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", default="prod")
    parser.add_argument("--only", choices=("lists", "counts", "words"), action="append", default=[])
    parser.add_argument("--check", action="store_true", help="only say whether search has what the messages say")
    given = parser.parse_args(arguments)
    try:
        stage = package.check_stage(given.stage)
        desk.find_local_engine(stage)
        if given.check:
            return 0 if check(stage, clients()) else 1
        rebuild(stage, clients(), given.only)
        return 0
    except (desk.NoDesk, ValueError) as error:
        print(f"Not rebuilt. {error}", file=sys.stderr)
    except desk.TROUBLE as error:
        print(f"Not rebuilt to the end. {desk.told(error)}. The next call goes on there.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
