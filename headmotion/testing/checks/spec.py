"""Checks of the spec of any part."""

from __future__ import annotations

import functools
import os
import subprocess
import sys

from ...core.plugins import OWN_DISTRIBUTION, registry
from ..build_context import Subject
from ..kit import NotApplicable, check

TORCH_IMPORT = """
import importlib, linecache, sys

name, lines = sys.argv[1], []

class Watch:
    def find_spec(fullname, path, target=None):
        frame = sys._getframe(1) if fullname == "torch" else None
        while frame is not None:
            if frame.f_globals.get("__name__", "").partition(".")[0] == name.partition(".")[0]:
                file, number = frame.f_code.co_filename, frame.f_lineno
                lines.append(f"{file}:{number}: {linecache.getline(file, number).strip()}")
            frame = frame.f_back

sys.meta_path.insert(0, Watch)
importlib.import_module(name)
print("", *lines[:1], sep="\\n")
sys.exit(3 if "torch" in sys.modules else 0)
"""
"""Imports a module; if that imports torch, prints the innermost line of the module's package on the way to it."""


@check("spec", 1, "Return the spec class from the hook headmotion_specs, and install the package (pip install -e .).")
def spec_is_registered(subject: Subject) -> None:
    """The registry gives this very class for the spec's kind and type, and the type begins with its plugin's name."""
    kind, name = subject.spec.kind, subject.spec.type_name()
    assert registry().resolve(kind, name) is type(subject.spec), f"{kind} {name!r} is another class in the registry"
    owner = registry().owners[kind, name]
    dist = next((record.dist for record in registry().records if record.name == owner), "")
    namespace = "" if dist == OWN_DISTRIBUTION else owner
    assert name.rpartition("/")[0] == namespace, f"{name!r} is not in the namespace {namespace!r} of its plugin"


@check("spec", 1, "Store plain JSON values in the spec's fields, and call super().__init__(spec) in the component.")
def spec_json_round_trips(subject: Subject) -> None:
    """A spec written as JSON and read back is the same spec, and the part that it builds has it as `spec`.

    The part may complete fields that are None, such as the SHA-256 of a file.
    """
    spec = subject.spec
    assert type(spec).model_validate_json(spec.model_dump_json()) == spec, "JSON changes the spec"
    if spec.kind in ("phase", "control"):  # which have no spec, because a checkpoint stores none of them
        return
    completed = subject.build().spec
    assert type(completed) is type(spec), "the part has another spec"
    changed = [name for name, value in spec if value is not None and getattr(completed, name) != value]
    assert not changed, f"the spec of the part differs in {', '.join(changed)}"


@check(
    "spec",
    2,
    "Import torch inside `build` or under `if TYPE_CHECKING:`, also what imports it, such as headmotion.Motion and the"
    " base classes of parts, and begin with `from __future__ import annotations`.",
)
def spec_imports_without_torch(subject: Subject) -> None:
    """Importing the spec's module does not import torch, so that listing plugins and reading recipes stays fast."""
    module = type(subject.spec).__module__
    line = _torch_import(module)
    assert line is None, f"importing {module} imports torch" + (f", by {line}" if line else "")


@functools.cache
def _torch_import(module: str) -> str | None:
    """Return the line by which a fresh Python imports torch with a module, if it can be found; None if it does not.

    Raises:
        NotApplicable: it cannot import the module.
    """
    # Its path is that of this process, so that modules of a test folder are found too.
    path = os.pathsep.join(folder for folder in sys.path if folder)
    command = [sys.executable, "-c", TORCH_IMPORT, module]
    environment = os.environ | {"PYTHONPATH": path}
    # In a fresh process, because this one has imported torch already.
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    if run.returncode not in (0, 3):
        raise NotApplicable(f"{module} cannot be imported by name")
    return run.stdout.splitlines()[-1] if run.returncode else None


@check("spec", 3, 'Write a docstring below each field: what it is, and its unit. """Mean delay (ms)."""')
def spec_is_documented(subject: Subject) -> None:
    """The spec and each of its fields, except ``type``, have a docstring."""
    cls = type(subject.spec)
    assert cls.__doc__, "the spec has no docstring"
    described = cls.field_docs().keys() | {name for name, field in cls.model_fields.items() if field.description}
    undocumented = [name for name in cls.model_fields if name != "type" and name not in described]
    assert not undocumented, f"fields without a docstring: {', '.join(undocumented)}"
