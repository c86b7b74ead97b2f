"""What can be read off the source: secrets compared in constant time, no dangerous call, no runaway expression."""

import ast
import re
import time
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache

import pytest

from tests.engine import ROOT
from tests.security.expressions import attacks

PROGRAM = sorted([*(ROOT / "chalicelib").rglob("*.py"), ROOT / "app.py"])
SECRET = re.compile(r"secret|token|signature|digest|csrf|\bmac\b|_mac\b|hmac|password", re.IGNORECASE)
NOT_SECRET = {
    "chalicelib/connectors/email/incoming.py": "the signature of an address is taken off it, not compared",
    "chalicelib/services/passwords.py": "compares what one person typed twice",
}
GROWTH_LIMIT = 3.2
"""How many times longer a text of twice the length may take: 2 is linear, 4 quadratic; the machine is busy."""
FAST_SECONDS = 0.02
"""What takes less for a text of LONG characters is no danger however it grows."""
LONG = 6_000
SHORT = 1_000
BOUNDED = {"chalicelib/domain/safe_style.py": "a style over MAX_STYLE_CHARS is dropped before it is looked at"}
"""Files whose expressions see short texts only: what grows like a square does no harm there."""


def _parsed() -> Iterator[tuple[str, ast.Module]]:
    for path in PROGRAM:
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return _name(node.func)
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    if isinstance(node, ast.Subscript):
        return f"{_name(node.value)}[{_name(node.slice)}]"
    if isinstance(node, ast.Constant):
        return repr(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def _is_plain(node: ast.AST) -> bool:
    """A constant tells an attacker nothing: "is it empty", "is it None", "how many"."""
    return isinstance(node, ast.Constant) or _name(node).startswith("len.") or _name(node) == "len"


def test_secrets_are_compared_in_constant_time() -> None:
    """``==`` ends at the first difference, and the time it takes tells where that was."""
    faults, good = [], 0
    for where, tree in _parsed():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _name(node).endswith("compare_digest"):
                good += 1
            if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
                continue
            sides = [node.left, *node.comparators]
            if any(SECRET.search(_last(_name(side))) for side in sides) and not any(_is_plain(side) for side in sides):
                faults.append(f"{where}:{node.lineno}: {ast.unparse(node)}")
    assert [fault for fault in faults if fault.split(":")[0] not in NOT_SECRET] == []
    assert good >= 5, "the places that do it right are found"


def _last(name: str) -> str:
    """The word that says what the value is: ``kept.token_hash`` is a hash, ``tokens.PREFIX`` a prefix."""
    last = name.rsplit(".", 1)[-1]
    return "" if last.endswith(("_id", "_ids", "_at", "_chars", "_bytes", "_name", "_key", "_kind")) else last


FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "pickle.loads", "pickle.load", "marshal.loads", "yaml.load", "os.system",
    "os.popen", "subprocess.run", "subprocess.Popen", "subprocess.call", "tempfile.mktemp", "random.random",
    "random.choice", "random.randint", "hashlib.md5", "hashlib.sha1", "xml.etree.ElementTree.fromstring",
    "minidom.parseString", "Markup", "markupsafe.Markup",
}  # fmt: skip
KNOWN = {
    "chalicelib/startup.py": {"marshal.loads", "compile"},  # bytecode of our own package, made when it was built
    "chalicelib/jobs/apart.py": {"pickle.loads"},  # what our own copy wrote, with the rights that we have ourselves
    "chalicelib/api/console/qr_code.py": {"Markup"},  # numbers only; its label is escaped
    "chalicelib/web/words.py": {"Markup"},  # escapes first
}


def test_nothing_dangerous_is_called() -> None:
    faults = [
        f"{where}:{node.lineno}: {_name(node)}"
        for where, tree in _parsed()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _name(node) in FORBIDDEN - KNOWN.get(where, set())
    ]
    assert faults == []


def test_no_template_says_that_something_is_safe() -> None:
    """Escaping is on for every template; what is let through has been made safe by ``safe_html`` just before."""
    found = {}
    for path in sorted((ROOT / "chalicelib/web/templates").rglob("*.html")):
        text = path.read_text("utf-8")
        marks = re.findall(r"{{[^}]*\|\s*safe\b[^}]*}}|{%-?\s*autoescape\s+false", text)
        if marks:
            found[str(path.relative_to(ROOT / "chalicelib/web/templates"))] = marks
        assert not re.search(r"\son[a-z]+\s*=", text), f"{path.name}: a handler within the page"
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), f"{path.name}: a script within the page"
        assert "javascript:" not in text
    assert set(found) == {"parts/icons.html", "ticket/html.html"}, "our own drawings, and what safe_html has cleaned"


# Expressions


METHODS = ("search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer")


def expressions() -> dict[str, tuple[str, int, tuple[str, ...]]]:
    """Every regular expression that is written as a literal: where, pattern, flags, and how it is used."""
    found: dict[str, tuple[str, int, tuple[str, ...]]] = {}
    for where, tree in _parsed():
        names = {
            node.value: node.targets[0].id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not _name(node).startswith("re.") or not node.args:
                continue
            pattern = _text(node.args[0])
            if pattern is None:
                continue
            method = _name(node).removeprefix("re.")
            used = (method,) if method in METHODS else _uses(where, names.get(node, ""))
            found[f"{where}:{node.lineno}"] = (pattern, _flags(node), used)
    return found


def _uses(where: str, name: str) -> tuple[str, ...]:
    """The methods by which a compiled expression is asked in its own file, else anywhere; else the usual two."""
    for text in ((ROOT / where).read_text("utf-8"), _source()):
        asked = {method for method in METHODS if name and re.search(rf"\b{name}\.{method}\(", text)}
        if asked:
            return tuple(sorted(asked))
    return ("search", "fullmatch")


@lru_cache(maxsize=1)
def _source() -> str:
    return "\n".join(path.read_text("utf-8") for path in PROGRAM)


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
        return node.value if isinstance(node.value, str) else node.value.decode("latin-1")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        return None if left is None or right is None else left + right
    return None


def _flags(node: ast.Call) -> int:
    names = re.findall(r"re\.([A-Z]+)\b", " ".join(ast.unparse(each) for each in [*node.args[1:], *node.keywords]))
    return sum(int(getattr(re, name)) for name in dict.fromkeys(names))


EXPRESSIONS = expressions()


def test_the_expressions_of_the_program_are_found() -> None:
    assert len(EXPRESSIONS) >= 100


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_no_expression_runs_away(where: str) -> None:
    """Texts made to defeat it, of length n and 2n: what grows faster than linear must be fast at LONG characters."""
    pattern, flags, methods = EXPRESSIONS[where]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        compiled = re.compile(pattern, flags)
    for make in attacks(pattern, flags):
        longest = SHORT if where.split(":")[0] in BOUNDED else LONG
        assert not _runs_away(compiled, methods, make, longest), f"{where}: {pattern!r} on {make(4)!r}…"


def _runs_away(compiled: "re.Pattern[str]", methods: tuple[str, ...], make: Callable[[int], str], longest: int) -> bool:
    """Grow the text until it is longest; stop at the first length that takes far longer than half of it."""
    length, before = 16, 0.0
    while length <= longest:
        text = make(length)
        took = min(_seconds(compiled, methods, text) for _ in range(2))
        if took > FAST_SECONDS and before > 0 and took / before > GROWTH_LIMIT:
            took = min(
                took, *(_seconds(compiled, methods, text) for _ in range(3))
            )  # somebody else may have had the machine
            if took > FAST_SECONDS and took / before > GROWTH_LIMIT:
                return True
        before = took
        length = length + 4 if length < 32 else length * 2
    return False


def _seconds(compiled: "re.Pattern[str]", methods: tuple[str, ...], text: str) -> float:
    started = time.thread_time()
    for method in methods:
        if method in ("sub", "subn"):
            compiled.sub("", text)
        elif method == "finditer":
            list(compiled.finditer(text))
        else:
            getattr(compiled, method)(text)
    return time.thread_time() - started
