"""``python3 -m local``: the same as ``make run``, also where there is no make and no environment yet.

Up to ``main`` this file must be readable by any Python 3, so that an old one can say that it is too old.
"""

import os
import sys

OLDEST = (3, 11)


def main() -> int:
    if sys.version_info < OLDEST:
        found = f"{sys.version.split()[0]} at {sys.executable}"
        sys.stderr.write(f"Deskbell needs Python {OLDEST[0]}.{OLDEST[1]} or newer; this is {found}.\n")
        return 1
    from local import environment

    environment.enter()
    from local import launcher

    return launcher.main()


if __name__ == "__main__":
    os.umask(0o077)  # what the desk keeps is its owner's business
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # everything is written and closed; some of the engine's threads would sleep on for ten seconds
