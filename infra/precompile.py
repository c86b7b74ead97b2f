"""``python -m infra.precompile TREE``: do once, while packaging, what every cold start would do again.

* The methods of every dataclass of the desk are compiled (``chalicelib.startup`` takes them): 0.6 CPU ms a class.
* Jinja2's templates become Python modules in ``chalicelib/web/compiled``: 2 to 30 CPU ms a template.

The desk's packages come from TREE, all others from this environment: those in TREE may be of another architecture.
"""

import importlib
import marshal
import pkgutil
import sys
from importlib import util
from pathlib import Path
from types import CodeType

COMPILED_TEMPLATES = Path("chalicelib/web/compiled")


def main(tree: Path) -> None:
    sys.dont_write_bytecode = True
    _own_package(tree)
    _compile_dataclasses(tree / "chalicelib" / f"dataclasses.{sys.implementation.cache_tag}.bin")
    _compile_templates(tree / COMPILED_TEMPLATES)


def _own_package(tree: Path) -> None:
    """Make ``chalicelib`` TREE's, and nothing else."""
    init = tree / "chalicelib" / "__init__.py"
    spec = util.spec_from_file_location("chalicelib", init, submodule_search_locations=[str(init.parent)])
    if spec is None or spec.loader is None:
        raise FileNotFoundError(init)
    module = util.module_from_spec(spec)
    sys.modules["chalicelib"] = module
    spec.loader.exec_module(module)


def _compile_dataclasses(target: Path) -> None:
    found: dict[str, CodeType] = {}
    importlib.import_module("chalicelib.startup").collect(found)
    desk = importlib.import_module("chalicelib")
    for module in pkgutil.walk_packages(desk.__path__, "chalicelib."):
        importlib.import_module(module.name)
    target.write_bytes(util.MAGIC_NUMBER + marshal.dumps(dict(sorted(found.items()))))


def _compile_templates(target: Path) -> None:
    """One module a template, named by the template's hash, as ``jinja2.ModuleLoader`` looks for them."""
    render = importlib.import_module("chalicelib.web.render")
    render.environment().compile_templates(target, zip=None, ignore_errors=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
