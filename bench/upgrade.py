"""An upgrade under load and back: nothing lost, nothing doubled, and how long nobody was served.

``python -m bench.upgrade [--phase-seconds N] [--mails-per-second N] [--kill] [--json]``

The newest earlier release is deployed to an engine of its own, then HEAD over it, then the earlier one again, each by
its own ``infra.deploy`` and a change set, while mail comes in, answers go out by the API and a console listens.  At the
end what was sent is compared with the ledger, the tickets and the outbox.

An update lets calls in flight finish on the code they began with, as Lambda does.  With ``--kill`` it ends them in the
middle, as the bare engine does: then what a killed call held comes back only when its queue shows it again, and a send
may end up "unclear" (shown to the agents, never repeated by itself), but still nothing may be lost or doubled.
"""

import argparse
import json
import logging
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench import releases
from bench.releases import Release, Tree
from bench.result import report
from bench.upgrade_load import Access, Load
from infra.deploy import Local
from infra.resources.handlers import API_STAGE
from local import deployment
from local.clock import Clock
from local.engine import Engine, prepare_engine
from local.front import Front
from local.launcher import function_environment, warm_functions
from local.outbox import Outbox
from local.smtp import MailPort
from local.stack import Stack, read_stack
from tests.stack import free_port

Say = Callable[[str], object]
STAGE = "upgrade"
PHASE_SECONDS = 8.0
MAILS_PER_SECOND = 2.0
DRAIN_SECONDS = 120.0
REST_SECONDS = 15.0
"""When nothing has moved for so long, what is missing waits for nothing but the end of a queue's hiding time."""
SETTLE_SECONDS = 660.0
"""Of the desk's clock: longer than a queue hides what a killed call held, and than a claim of a send may last."""
LONGEST_CALL_SECONDS = 120.0
MAX_HEALTH_GAP_SECONDS = 30.0

DEPLOY = """
import json, sys
from pathlib import Path
from infra import deploy, package
told = json.load(sys.stdin)
built = package.build(told["stage"], Path(told["out"]), local=told["same_packages"])
deploy.deploy(
    told["stage"], built, deploy.clients(), local=deploy.Local(told["endpoint"], told["environment"]),
    parameters=told["parameters"],
)
"""
"""What ``python -m infra.deploy`` does, with the addresses of a front port, as ``python -m local`` gives them."""


@dataclass
class Desk:
    """A desk on an engine in this process, deployed by whichever release."""

    engine: Engine
    folder: Path
    port: int
    front: Front | None = None

    def client(self, service: str) -> Any:
        return self.engine.client(service)

    def stack(self) -> Stack:
        return read_stack(self.client("cloudformation"), f"deskbell-{STAGE}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def deploy(self, tree: Tree) -> float:
        """Bring the stack to a release; return the seconds that took."""
        here = Local(self.engine.endpoint, {"WEBSOCKET_URL": f"ws://127.0.0.1:{self.port}/live", "BASE_PATH": ""})
        told = {
            "stage": STAGE,
            "out": str(self.folder / "package" / tree.root.name),
            "same_packages": tree.same_packages,
            "endpoint": here.endpoint,
            "environment": dict(here.environment),
            "parameters": {"ConsoleOrigin": self.url},
        }
        begun = time.monotonic()
        tree.run(["-c", DEPLOY], releases.command_environment(self.engine.endpoint), json.dumps(told), seconds=600)
        if self.front is not None:
            self.front.routes = deployment.routes(self.stack())
        return time.monotonic() - begun

    def code(self) -> str:
        """The fingerprint of the code that the web function runs."""
        name = self.stack().functions["APIHandler"]
        return str(self.client("lambda").get_function_configuration(FunctionName=name)["CodeSha256"])


class FollowingFront(Front):
    """API Gateway keeps an API's id through an update, the engine makes a new one: look which it is, each time."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from ministack.services import apigateway_v1

        ids = [key[-1] for key in apigateway_v1._rest_apis._data]
        if ids and ids[-1] not in self.routes.rest:
            self.routes = replace(self.routes, rest=f"/_aws/execute-api/{ids[-1]}/{API_STAGE}")
        await super().__call__(scope, receive, send)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phase-seconds", type=float, default=PHASE_SECONDS, help="of load before and after each")
    parser.add_argument("--mails-per-second", type=float, default=MAILS_PER_SECOND)
    parser.add_argument("--kill", action="store_true", help="end the calls in flight with each update")
    parser.add_argument("--json", action="store_true", help="only the result line")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    release = releases.earlier()
    limits = {"lost": 0.0, "doubled": 0.0, "ledger_difference": 0.0, "dead_letters": 0.0, "parked": 0.0}
    limits |= {"code_not_exchanged": 0.0, "health_gap_seconds": MAX_HEALTH_GAP_SECONDS}
    if release is None:
        return report("upgrade", {}, limits, skipped=releases.NO_EARLIER)
    say: Say = (lambda line: None) if given.json else print
    say(f"From {release.name} to HEAD and back.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # workers that end late still write there
        figures = run(Path(folder), release, given, say)
    return report("upgrade", figures, limits)


def run(folder: Path, release: Release, given: argparse.Namespace, say: Say) -> dict[str, float]:
    """Both upgrades under load; the figures."""
    old, new = releases.unpack(release.commit, folder / "old"), releases.unpack("HEAD", folder / "new")
    _name(new)
    desk = _start(folder)
    if not given.kill:
        _let_calls_finish()
    outbox: Outbox | None = None
    try:
        say(f"Deployed {release.name} in {desk.deploy(old):.1f} s.")
        outbox, mail, access = _open(desk, old)
        load = Load(desk.engine, desk.stack(), access, desk.url, mail.port, given.mails_per_second)
        codes, took = [desk.code()], []
        with load:
            for tree in (new, old):
                time.sleep(given.phase_seconds)
                took.append(desk.deploy(tree))
                codes.append(desk.code())
                say(f"Deployed {tree.root.name} over it in {took[-1]:.1f} s.")
            time.sleep(given.phase_seconds)
        say(f"{len(load.mails.sent)} mails in, {len(load.replies.accepted)} answers out; waiting for the rest.")
        _drain(desk, load)
        mail.stop()
        exchanged = codes[0] != codes[1] and codes[2] == codes[0]
        return {
            "upgrade_seconds": round(took[0], 1),
            "rollback_seconds": round(took[1], 1),
            "code_not_exchanged": 0.0 if exchanged else 1.0,
            **load.figures(desk.folder / "outbox"),
        }
    finally:
        if outbox is not None:
            outbox.close()
        desk.engine.stop(snapshot=False)


def _name(tree: Tree) -> None:
    """Give HEAD a version of its own: an update that changes no code would exchange nothing."""
    module = tree.root / "chalicelib" / "__init__.py"
    text = module.read_text()
    named = re.sub(r'(?m)^(__version__ = ".*)"$', r'\1+head"', text)
    if named == text:
        raise RuntimeError(f"{module} names no version")
    module.write_text(named)


def _start(folder: Path) -> Desk:
    """An engine of its own; functions are unpacked below the folder, so that nothing of it stays."""
    (folder / "tmp").mkdir()
    os.environ["TMPDIR"] = str(folder / "tmp")
    tempfile.tempdir = None
    logging.getLogger("deskbell.functions").propagate = False
    logging.basicConfig(filename=folder / "engine.log", level=logging.WARNING)
    engine = prepare_engine(folder / "engine")
    engine.start()
    return Desk(engine, folder, free_port())


def _let_calls_finish() -> None:
    """Lambda ends no call when its function changes: the old code goes on until it is done.

    The engine takes the workers out of its pool and ends them at once; here those at work are ended when they are idle.
    """
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    end_now = lambda_runtime.kill_workers

    def end_when_idle(workers: Sequence[Any]) -> None:
        at_work = [each for each in workers if each is not None and each.in_use]
        end_now([each for each in workers if each not in at_work])
        if at_work:
            threading.Thread(target=_end_later, args=(at_work, end_now), daemon=True).start()

    lambda_runtime.kill_workers = end_when_idle
    lambda_svc._sweep_extract_cache = lambda *_: None  # the old code's files, which a call may still read


def _end_later(workers: Sequence[Any], end_now: Callable[[Sequence[Any]], None]) -> None:
    end = time.monotonic() + LONGEST_CALL_SECONDS
    while time.monotonic() < end and any(each.in_use for each in workers):
        time.sleep(0.02)
    end_now(workers)


def _open(desk: Desk, tree: Tree) -> tuple[Outbox, MailPort, Access]:
    """What stands around the functions, an admin, an inbox and a token; then the queues are let go."""
    engine, stack = desk.engine, desk.stack()
    outbox = Outbox(engine, desk.folder / "outbox", stack.table, stack.delivery_topic)
    outbox.attach()
    mail = MailPort(engine, stack, free_port(), desk.folder / "notices")
    desk.front = FollowingFront(engine.app, deployment.routes(stack), desk.port)
    engine.serve(desk.front, desk.port)
    deployment.limit_concurrency(desk.client("lambda"))
    environment = function_environment(engine, stack) | {"CONSOLE_URL": desk.url}
    made = json.loads(tree.run(["-m", "local.seed", "--bare"], environment).splitlines()[-1])
    engine.open_queues()
    warm_functions(engine, stack, desk.url)
    mail.start()
    admin = made["agents"][0]
    return outbox, mail, Access(made["api_token"], admin["email"], admin["password"])


def _drain(desk: Desk, load: Load) -> None:
    """Until all is shown and sent; then the desk's clock runs on, so that whatever was cut off is settled."""
    end = time.monotonic() + DRAIN_SECONDS
    moved, before = time.monotonic(), load.state()
    while time.monotonic() < min(end, moved + REST_SECONDS) and not (load.all_there() and desk.engine.idle()):
        time.sleep(0.2)
        now = load.state()
        moved, before = (moved, before) if now == before else (time.monotonic(), now)
    stack = desk.stack()
    for queue in (stack.inbound_queue_url, *load.queue_urls()):
        desk.engine.release_delayed(queue, SETTLE_SECONDS)
    Clock(desk.engine, stack).advance(SETTLE_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
