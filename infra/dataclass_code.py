"""``python -m infra.dataclass_code TREE TARGET``: compile the methods of every dataclass of the desk under TREE.

The desk's packages come from TREE, all others from this environment.
"""

import importlib
import marshal
import pkgutil
import sys
from importlib import util
from pathlib import Path
from types import CodeType


def main(tree: str, target: str) -> None:
    sys.dont_write_bytecode = True
    found: dict[str, CodeType] = {}
    _own_package(tree)
    importlib.import_module("chalicelib.startup").collect(found)
    desk = importlib.import_module("chalicelib")
    for module in pkgutil.walk_packages(desk.__path__, "chalicelib."):
        importlib.import_module(module.name)
    Path(target).write_bytes(util.MAGIC_NUMBER + marshal.dumps(dict(sorted(found.items()))))


def _own_package(tree: str) -> None:
    """Make ``chalicelib`` TREE's, and nothing else: its other packages may be of another architecture."""
    init = Path(tree) / "chalicelib" / "__init__.py"
    spec = util.spec_from_file_location("chalicelib", init, submodule_search_locations=[str(init.parent)])
    if spec is None or spec.loader is None:
        raise FileNotFoundError(init)
    module = util.module_from_spec(spec)
    sys.modules["chalicelib"] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    main(*sys.argv[1:])
