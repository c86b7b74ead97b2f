"""The zip that AWS gets: small, compiled, equal for equal sources, and nothing slow loaded by importing it."""

import hashlib
import json
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from chalice.app import Chalice

import app
from bench import structure
from chalicelib import api
from infra import package
from infra.functions import FUNCTIONS
from infra.repack import repack
from infra.resources.http import is_public
from infra.vendor import SHA256

HERE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), "x86_64")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> package.Package:
    """With wheels for this machine, so that it can be imported here; AWS gets the same for its own."""
    return package.build("test", tmp_path_factory.mktemp("shipped") / "out", architecture=HERE)


@pytest.fixture(scope="module")
def tree(shipped: package.Package, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("task") / "var"
    folder.mkdir()
    yield structure.unpack(shipped.archive, folder)
    for path in folder.rglob("*"):
        path.chmod(0o755)
    shutil.rmtree(folder)


def test_every_source_has_its_own_unchecked_bytecode(tree: Path) -> None:
    assert list(structure.bytecode_faults(tree)) == []


def test_the_zip_is_small(shipped: package.Package) -> None:
    assert shipped.archive.stat().st_size <= structure.MAX_ZIP_MB * 1_000_000


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_importing_the_app_loads_nothing_slow(tree: Path, function: object) -> None:
    name = getattr(function, "name", "")
    web = name in {"web", "hooks"}
    modules = structure.loaded_modules(tree, "app.app" if name == "web" else f"app.{name}")
    assert structure.banned(modules, *(() if web else structure.BANNED_IN_WORKERS)) == []
    foreign = structure.not_ours(modules)
    assert len(foreign) <= (structure.MAX_MODULES_WEB if web else structure.MAX_MODULES_WORKER)


def test_a_worker_loads_its_own_edge_while_it_starts(tree: Path) -> None:
    modules = structure.loaded_modules(tree, "app.work")
    assert "chalicelib.jobs.work" in modules
    assert not [name for name in modules if name.startswith("chalicelib.api.")]


def test_the_zip_holds_all_that_any_module_imports(tree: Path) -> None:
    """Whatever this environment has beside it: on Lambda there is nothing else."""
    assert structure.import_faults(tree) == []


EVERY_COUNTRY = """
import sys
sys.path.insert(0, sys.argv[1])
from chalicelib.services.holiday_tables import countries, public_holidays, regions
tables = {
    code: [public_holidays(code, each, [2027]) for each, _ in (("", ""), *regions(code))] for code, _ in countries()
}
assert len(tables) > 200, len(tables)
assert ("2027-01-06", "Epiphany") in {(day.on, day.name) for day in tables["AT"][0]}, tables["AT"]
"""


def test_the_zip_knows_the_holidays_of_every_country(tree: Path) -> None:
    """Sources and other languages of the library are left behind."""
    assert not list((tree / "holidays").rglob("*.py"))
    command = [sys.executable, "-I", "-S", "-B", "-c", EVERY_COUNTRY, str(tree)]
    subprocess.run(command, check=True, env={"LANG": "en_US.UTF-8"})


def test_the_hooks_function_loads_no_console(tree: Path) -> None:
    modules = structure.loaded_modules(tree, "app.hooks")
    assert "chalicelib.api.hooks" in modules
    assert not [name for name in modules if name.startswith(("chalicelib.api.console", "chalicelib.api.rest"))]


@pytest.mark.parametrize("entry", ["app.app", "app.hooks", "app.intake", "app.work", "app.deliver", "app.daily"])
def test_no_dataclass_is_compiled_at_a_start(tree: Path, entry: str) -> None:
    assert structure.compiled_at_start(tree, entry) == []


def test_public_routes_are_those_of_the_public_paths() -> None:
    public = Chalice(app_name="public", configure_logs=False)
    try:
        for blueprint in api.public_blueprints():
            public.register_blueprint(blueprint)
    finally:
        for blueprint in api.public_blueprints():
            blueprint._current_app = app.app  # a blueprint answers for the application that took it last
    assert {path for path in app.app.routes if is_public(path)} == set(public.routes)


def test_every_event_handler_has_an_edge_to_load() -> None:
    handlers = {each.name for each in FUNCTIONS} - {"web", "hooks"}
    assert set(app.EDGES) == handlers
    assert all(hasattr(app, name) for name in handlers)


def test_equal_sources_make_an_equal_zip(tmp_path: Path) -> None:
    source = tmp_path / "chalice.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("app.py", "NAMES = frozenset({'a', 'b', 'c'})\n")
        archive.writestr("botocore/data/dynamodb/2012-08-10/service-2.json.gz", b"kept")
        archive.writestr("botocore/data/ec2/2016-11-15/service-2.json.gz", b"dropped")
        archive.writestr("thing-1.0.dist-info/METADATA", "dropped")
        archive.writestr("thing/stub.pyi", "dropped")
    digests = []
    for name in ("one.zip", "two.zip"):
        repack(source, tmp_path / name)
        digests.append(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert digests[0] == digests[1]
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert sorted(archive.namelist()) == [
            "__pycache__/app.cpython-{}{}.pyc".format(*platform.python_version_tuple()[:2]),
            "app.py",
            "botocore/data/dynamodb/2012-08-10/service-2.json.gz",
        ]


def test_the_browser_gets_the_htmx_we_know(shipped: package.Package) -> None:
    with zipfile.ZipFile(shipped.archive) as archive:
        script = archive.read("chalicelib/web/static/vendor/htmx.min.js")
    assert hashlib.sha256(script).hexdigest() == SHA256


def test_aws_gets_the_architecture_that_was_packaged_for(template: dict[str, object]) -> None:
    wanted = json.loads((package.ROOT / ".chalice" / "config.json").read_text())["lambda_architecture"]
    resources = template["Resources"]
    assert isinstance(resources, dict)
    functions = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::Serverless::Function"]
    assert {tuple(each["Architectures"]) for each in functions} == {(wanted,)}


@pytest.mark.parametrize("stage", ["", "Prod", "1a", "pro-d", "a" * 17])
def test_a_stage_that_cannot_be_a_name_is_refused(stage: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no stage"):
        package.build(stage, tmp_path / "out", local=True)
