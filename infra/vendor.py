"""Fetch htmx for the browser out of the PyPI wheel that carries it.  Third-party code is never committed."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "chalicelib" / "web" / "static" / "vendor"
INSIDE_WHEEL = "django_htmx/static/django_htmx/htmx-2.min.js"
SHA256 = "71ea67185bfa8c98c39d31717c6fce5d852370fcdfd129db4543774d3145c0de"
"""Of htmx itself; the wheel's stands in requirements-vendor.txt."""


class VendoringFailed(Exception):
    """pip could not fetch the wheel, or the file in it is not the one we know."""


def fetch_htmx(vendor: Path = VENDOR) -> Path:
    """Return ``vendor/htmx.min.js``, fetched unless it lies there already."""
    target = vendor / "htmx.min.js"
    if target.exists() and _digest(target.read_bytes()) == SHA256:
        return target
    content = _out_of_wheel()
    if _digest(content) != SHA256:
        raise VendoringFailed(f"{INSIDE_WHEEL} is not the htmx we know; update SHA256 if that was on purpose")
    vendor.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _out_of_wheel() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        command += ["--requirement", str(ROOT / "requirements-vendor.txt"), "--dest", folder]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        if finished.returncode != 0:
            raise VendoringFailed(finished.stderr.strip())
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(INSIDE_WHEEL)


if __name__ == "__main__":
    print(fetch_htmx())
