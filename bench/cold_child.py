"""One cold start in a process of its own: ``python -I -S -B cold_child.py SCENARIO.json``.

Nothing that it measures is imported before the clock starts.  AWS answers below the socket, with what a real engine
answered when the scenario was recorded, so all of the client's own work counts and no network does.
"""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from typing import Any

CLOCK = time.process_time


class Context:
    function_name = "deskbell-bench"
    function_version = "1"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:deskbell-bench"
    aws_request_id = "11111111-2222-3333-4444-555555555555"
    log_group_name = log_stream_name = "bench"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def operation(request: Any) -> str:
    target = request.headers.get("X-Amz-Target")
    if target is None:
        return f"{request.method} {request.url.split('?')[0].split('/', 3)[-1]}"
    return str(target.decode() if isinstance(target, bytes) else target)


def below() -> Any:
    """The module whose session speaks HTTP for every AWS client."""
    import botocore.httpsession

    return botocore.httpsession


def record(answers: dict[str, list[str]]) -> None:
    """Let calls through and keep their answers."""
    http = below()
    send = http.URLLib3Session.send

    def recording(session: Any, request: Any) -> Any:
        answer = send(session, request)
        answers.setdefault(operation(request), []).append(answer.content.decode())
        return answer

    http.URLLib3Session.send = recording


def replay(answers: dict[str, list[str]]) -> Callable[[], None]:
    """Answer each operation in the order recorded; the last answer stands for all further calls.

    Returns what starts the order anew.
    """
    import zlib

    import botocore.awsrequest

    http, make_answer = below(), botocore.awsrequest.AWSResponse
    given = dict.fromkeys(answers, 0)
    ready = {
        name: [(body.encode(), str(zlib.crc32(body.encode()) & 0xFFFFFFFF)) for body in bodies]
        for name, bodies in answers.items()
    }

    def replaying(session: Any, request: Any) -> Any:
        name = operation(request)
        bodies = ready[name]
        body, checksum = bodies[min(given[name], len(bodies) - 1)]
        given[name] += 1
        headers = {"x-amz-crc32": checksum, "content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "R"}
        answer: Any = make_answer(request.url, 200, headers, None)  # type: ignore[arg-type]  # any mapping will do
        answer._content = body
        return answer

    http.URLLib3Session.send = replaying
    return lambda: given.update(dict.fromkeys(given, 0))


def repeated(call: Callable[[], object], times: int, rounds: int = 7) -> float:
    """CPU milliseconds of one call: the median of ``rounds``."""
    call()
    found = []
    for _ in range(rounds):
        start = CLOCK()
        for _ in range(times):
            call()
        found.append((CLOCK() - start) / times * 1000)
    return sorted(found)[rounds // 2]


def cold(scenario: dict[str, Any]) -> dict[str, Any]:
    """Import, then the first event; AWS is put in place between the two, off the clock unless that imports anything."""
    answers: dict[str, list[str]] = scenario.get("answers", {})
    module_name, _, name = scenario["handler"].rpartition(".")
    start = CLOCK()
    handler = getattr(__import__(module_name), name)
    imported = CLOCK() - start
    lazily = CLOCK()
    import botocore.httpsession  # noqa: F401  # what the import above left to the first call

    imported += CLOCK() - lazily
    if scenario["record"]:
        record(answers)
    else:
        replay(answers)
    start = CLOCK()
    answer = handler(scenario["event"], Context())
    first = CLOCK() - start
    return {
        "import_ms": imported * 1000,
        "first_ms": first * 1000,
        "answers": answers if scenario["record"] else None,
        "answer": answer,
    }


def framework(scenario: dict[str, Any]) -> dict[str, Any]:
    """The desk's routing, guard, log line and metrics, against a bare Chalice route with the same log line."""
    from chalice.app import Chalice, Response

    from chalicelib import observability
    from chalicelib.api import http

    desk: Any = __import__("app")

    def ours() -> Any:
        def act(request_id: str) -> Any:
            observability.log("bench", ticket="1")
            observability.count("Bench")
            return http.answer("{}", 200, request_id)

        return http.guarded(desk.app.current_request, act)

    bare = Chalice(app_name="bare", configure_logs=False)

    def theirs() -> Any:
        observability.logger.info("bench", extra={"ticket": "1"})
        return Response("{}", status_code=200, headers={"Content-Type": "application/json"})

    desk.app.route("/bench", methods=["GET"], name="bench")(ours)
    bare.route("/bench", methods=["GET"], name="bench")(theirs)
    event = scenario["event"] | {"path": "/bench", "resource": "/bench", "pathParameters": None}
    event["requestContext"] = event["requestContext"] | {"resourcePath": "/bench", "path": "/api/bench"}
    context = Context()
    assert desk.app(event, context)["statusCode"] == bare(event, context)["statusCode"] == 200
    return {
        "ours_ms": repeated(lambda: desk.app(event, context), 200),
        "theirs_ms": repeated(lambda: bare(event, context), 200),
    }


def page(scenario: dict[str, Any]) -> dict[str, Any]:
    """The list of fifty rows, client and template, against one raw query that answers the same rows."""
    from chalicelib import wiring
    from chalicelib.api.console import screen

    desk: Any = __import__("app")
    context, event = Context(), scenario["event"]
    rewind = replay(scenario["answers"])
    list_context, asked = screen.list_context, []

    def noting(*arguments: Any) -> Any:
        asked.append(arguments)
        return list_context(*arguments)

    def whole() -> Any:
        rewind()
        return desk.app(event, context)

    setattr(screen, "list_context", noting)  # noqa: B010 - mypy lets no assignment replace a module's function
    shown = len(set(re.findall(r"/tickets/(\d+)", whole()["body"])))
    assert shown == scenario["tickets"], f"the page shows {shown} tickets"
    setattr(screen, "list_context", list_context)  # noqa: B010 - mypy lets no assignment replace a module's function
    visit, the_desk, named, *_ = asked[0]
    whole_ms = repeated(whole, 10)
    rewind_rows = replay({"DynamoDB_20120810.Query": scenario["row_pages"]})

    def ours() -> str:
        rewind_rows()
        return str(visit.render("lists/rows.html", **list_context(visit, the_desk, named)))

    ours_ms = repeated(ours, 10)
    dynamodb = wiring.client("dynamodb")
    replay({"DynamoDB_20120810.Query": [scenario["rows"]]})
    raw_ms = repeated(
        lambda: dynamodb.query(
            TableName="floor",
            IndexName="by_status",
            KeyConditionExpression="status_key = :key",
            ExpressionAttributeValues={":key": {"S": "open#0"}},
        ),
        20,
    )
    return {"ours_ms": ours_ms, "theirs_ms": raw_ms, "whole_ms": whole_ms}


def main() -> None:
    with open(sys.argv[1]) as file:
        scenario = json.load(file)
    sys.path[:0] = scenario["path"]
    os.environ.update(scenario["environment"])
    shown = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the desk's log lines are part of the work, not of the answer
    result = {"cold": cold, "framework": framework, "page": page}[scenario["measure"]](scenario)
    os.write(shown, json.dumps(result, default=str).encode())


if __name__ == "__main__":
    main()
