import locale
import os
import random
import signal
import subprocess
import sys
import warnings
from importlib.metadata import distributions
from pathlib import Path

import numpy as np
import pytest
import torch

from headmotion.core import entry_points, plugin_calls, plugins
from headmotion.core.crash_mark import crash_mark
from headmotion.core.errors import PluginError, SpecError

SPEC = """
from typing import Literal
from headmotion.core.hookspecs import hookimpl
from headmotion.core.interfaces.specs import GeneratorSpec, SyncerSpec

class Part({base}):
    type: Literal["{name}"] = "{name}"
    def build(self, context): ...

@hookimpl
def headmotion_specs():
    return [Part]
"""


def offering(name, base="GeneratorSpec"):
    return SPEC.format(name=name, base=base)


def python_path(fake_plugins):
    return os.pathsep.join([str(fake_plugins.folder), str(Path(plugins.__file__).parents[2])])


def by_name(registry):
    return {record.name: record for record in registry.records}


def test_what_a_good_plugin_offers(fake_plugins):
    files = """
@hookimpl
def headmotion_models():
    return {"good/small": "small.safetensors"}
@hookimpl
def headmotion_recipes():
    return {"good/fast": "fast.yaml"}
"""
    fake_plugins.install("headmotion-good", offering("good/part") + files, version="2.5")
    registry = fake_plugins.registry()
    (record,) = registry.records
    assert (record.name, record.dist, record.version) == ("good", "headmotion-good", "2.5")
    assert (record.status, record.error, record.types) == ("ok", "", ("generator:good/part",))
    assert (record.models, record.recipes, record.converters) == (("good/small",), ("good/fast",), ())
    assert registry.types("generator") == ["good/part"]
    assert registry.resolve("generator", "good/part").type_name() == "good/part"
    assert registry.owners == {("generator", "good/part"): "good"}
    assert str(registry.models["good/small"]) == "small.safetensors"
    assert str(registry.recipes["good/fast"]) == "fast.yaml"


def test_one_type_for_two_kinds(fake_plugins):
    both = (
        offering("good/part")
        .replace("[Part]", "[Part, Second]")
        .replace("@hookimpl", 'class Second(SyncerSpec):\n    type: Literal["good/part"] = "good/part"\n@hookimpl')
    )
    fake_plugins.install("headmotion-good", both)
    assert by_name(fake_plugins.registry())["good"].types == ("generator:good/part", "syncer:good/part")


HOOK = "from headmotion.core.hookspecs import hookimpl\n@hookimpl\n"
MUTE = "class Mute(Exception):\n    def __repr__(self): raise KeyboardInterrupt\n    __str__ = __repr__\n"
BROKEN = {
    "import": ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
    "syntax": ("def (", "SyntaxError"),
    "exit": ("import sys; sys.exit(3)", "SystemExit"),
    "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "generator-exit": (HOOK + "def headmotion_specs(): raise GeneratorExit", "GeneratorExit"),
    "group": (HOOK + "def headmotion_specs(): raise BaseExceptionGroup('two', [SystemExit(0)])", "BaseExceptionGroup"),
    "mute": (MUTE + "raise Mute", "Mute, whose message cannot be read (KeyboardInterrupt)"),
    "mute-hook": (MUTE + HOOK + "def headmotion_specs(): raise Mute", "Mute, whose message cannot be read"),
    "mute-spec": (MUTE + HOOK + "def headmotion_specs(): return [Mute()]", "KeyboardInterrupt"),
    "colors": ("raise ValueError('\\x1b]0;title\\x07\\n\\x9bm')", r"ValueError: \x1b]0;title\x07 \x9bm"),
    "misspelt": (HOOK + "def headmotion_spec(): return []", "did you mean 'headmotion_specs'?"),
    "misspelt-unmarked": ("def headmotion_recipe(): return {}", "did you mean 'headmotion_recipes'?"),
    "unmarked": ("def headmotion_specs(): return []", "marked with headmotion.hookimpl"),
    "wrong-argument": (HOOK + "def headmotion_specs(registry): return []", "registry"),
    "raises": (HOOK + "def headmotion_specs(): return 1 / 0", "ZeroDivisionError"),
    "no-spec": (HOOK + "def headmotion_specs(): return [int]", "subclasses of a headmotion spec base"),
    "bare-type": (offering("part"), "a generator type named 'bare-type/part', got 'part'"),
    "foreign-type": (offering("good/other"), "a generator type named 'foreign-type/other', got 'good/other'"),
    "untyped": (
        offering("untyped/x").replace('Literal["untyped/x"]', "str"),
        "Part with the field type: Literal['untyped/x'] = 'untyped/x', got type: str = 'untyped/x'",
    ),
    "no-type": (
        offering("x").replace('type: Literal["x"] = "x"', "size: int = 1"),
        "Part with the field type: Literal['no-type/name'] = 'no-type/name', got no such field",
    ),
    "two-types": (
        offering("two-types/x").replace('Literal["', 'Literal["two-types/y", "'),
        "got type: Literal['two-types/y', 'two-types/x'] = 'two-types/x'",
    ),
    "no-default": (
        offering("no-default/x").replace(' = "no-default/x"', ""),
        "Part with the field type: Literal['no-default/name'] = 'no-default/name', got type: Literal['no-default/x']",
    ),
    "twice": (
        offering("twice/part").replace("[Part]", "[Part, Part]"),
        "got generator 'twice/part', which two of its spec classes have",
    ),
    "empty": ("", "expected hooks in what its entry point names, 'fake_plugin_"),
    "no-return": (
        HOOK + "def headmotion_specs(): [1]",
        "expected headmotion_specs to return a list, got None",
    ),
    "no-prefix": (HOOK + "def specs(): return []", "got 'specs'; did you mean 'headmotion_specs'?"),
    "other-arguments": (
        HOOK + "def headmotion_training_event(event, figures): pass",
        "expected headmotion_training_event(event, values), of which arguments may be left out, got"
        " headmotion_training_event(event, figures)",
    ),
    "bare-model": (HOOK + "def headmotion_models(): return {'small': 'x'}", "models named bare-model/..."),
    "number": (HOOK + "def headmotion_models(): return 7", "headmotion_models to return a dict, got 7"),
    "letters": (HOOK + "def headmotion_specs(): return 'abc'", "headmotion_specs to return a list, got 'abc'"),
    "formats": (
        HOOK + "def headmotion_motion_readers(): return 7",
        "headmotion_motion_readers to return a dict, got 7",
    ),
    "numbered": (HOOK + "def headmotion_models(): return {3: 'x'}", "models named numbered/..., got 3"),
    "no-path": (
        HOOK + "def headmotion_recipes(): return {'no-path/x': 3}",
        "headmotion_recipes to return paths, got 3",
    ),
    "late": (
        offering("late/part") + "@hookimpl\ndef headmotion_recipes(): return {'x': 'y'}",
        "recipes named late/...",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_plugin_is_a_record_and_the_others_go_on(fake_plugins, name):
    source, error = BROKEN[name]
    fake_plugins.install("headmotion-first", offering("first/part"))
    fake_plugins.install(f"headmotion-{name}", source)
    fake_plugins.install("headmotion-good", offering("good/part"))
    registry = fake_plugins.registry()
    record = by_name(registry)[name]
    assert record.status == "error"
    assert error in record.error
    assert "\n" not in record.error
    assert registry.types("generator") == ["first/part", "good/part"]
    assert not registry.models
    assert not registry.recipes
    assert sorted(plugin for plugin, _ in registry.manager.list_name_plugin()) == ["first", "good"]
    # What is left of it is not called later on.
    assert not registry.implementers("headmotion_training_event")


@pytest.mark.parametrize("file", ["METADATA", "entry_points.txt"])
def test_metadata_may_be_anything(fake_plugins, monkeypatch, file):
    fake_plugins.install("headmotion-good", offering("good/part"))
    fake_plugins.install("headmotion-latin", offering("latin/part"))
    path = fake_plugins.folder / "headmotion_latin-1.0.dist-info" / file
    path.write_bytes(path.read_bytes() + b"Author: Andr\xe9\n")
    monkeypatch.setattr(entry_points, "distributions", lambda: distributions(path=[str(fake_plugins.folder)]))
    registry = plugins.discover(*entry_points.installed_points())
    assert registry.types("generator") == ["good/part"]
    record = by_name(registry)["latin"]
    assert (record.dist, record.status) == ("headmotion-latin", "error") and "UnicodeDecodeError" in record.error


@pytest.mark.parametrize("content", [None, "", "Name:\nVersion: 1.0\n"])
def test_metadata_without_a_name(fake_plugins, content):
    fake_plugins.install("headmotion-odd", offering("odd/part"))
    path = fake_plugins.folder / "headmotion_odd-1.0.dist-info" / "METADATA"
    path.unlink() if content is None else path.write_text(content)
    (record,) = fake_plugins.registry().records
    assert (record.name, record.dist, record.version, record.status) == ("odd", "headmotion-odd", "", "error")
    assert record.error == "metadata: its file METADATA names no package"


def test_an_entry_point_without_a_module(fake_plugins, monkeypatch):
    fake_plugins.install("headmotion-odd", offering("odd/part"))
    (fake_plugins.folder / "headmotion_odd-1.0.dist-info" / "entry_points.txt").write_text("[headmotion]\nodd = \n")
    monkeypatch.setattr(entry_points, "distributions", lambda: distributions(path=[str(fake_plugins.folder)]))
    (record,) = plugins.discover(*entry_points.installed_points()).records
    assert (record.status, record.error.count("an entry point that names a module, got ''")) == ("error", 1)


def test_an_interrupt_of_the_user_is_no_fault_of_the_plugin(fake_plugins):
    fake_plugins.install("headmotion-slow", "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nwhile True: pass")
    with pytest.raises(KeyboardInterrupt):
        fake_plugins.registry()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not list((fake_plugins.folder.parent / "state").rglob("*/loading/*"))


def test_what_a_plugin_prints_does_not_reach_standard_output(fake_plugins, capfd):
    prints = "import os\nprint('hello')\nos.system('echo from a child')\n"
    hook = "@hookimpl\ndef headmotion_migrate(spec, version): print('hook')"
    fake_plugins.install("headmotion-loud", prints + offering("loud/part") + hook)
    fake_plugins.registry().call("loud", "headmotion_migrate", spec={}, version="1")
    print("result")
    out, err = capfd.readouterr()
    assert out == "result\n"
    assert sorted(err.split("\n")) == ["", "from a child", "hello", "hook"]


@pytest.mark.parametrize("end", ["os._exit(0)", "os.abort()", "os.kill(os.getpid(), 11)"])
def test_after_a_crash_the_next_start_names_the_plugin(fake_plugins, caplog, end):
    fake_plugins.install("headmotion-good", offering("good/part"))
    fake_plugins.install("headmotion-crash", f"import os\n{end}")
    fake_plugins.install("headmotion-late", offering("late/part"))
    points = f"distributions(path=[{str(fake_plugins.folder)!r}])"
    code = f"""
from importlib.metadata import distributions
from headmotion.core import plugins
plugins.distributions = lambda: {points}
plugins.registry()
"""
    run = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": python_path(fake_plugins)})
    assert run.returncode == (0 if "_exit" in end else run.returncode or 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADMOTION_PLUGINS_OFF", "other, crash")
        registry = fake_plugins.registry()
    assert by_name(registry)["crash"].status == "off"
    assert registry.types("generator") == ["good/part", "late/part"]
    (message,) = caplog.messages
    assert "while it loaded plugin crash" in message and "HEADMOTION_PLUGINS_OFF=crash" in message
    caplog.clear()
    fake_plugins.install("headmotion-further", offering("further/part"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADMOTION_PLUGINS_OFF", "crash")
        fake_plugins.registry()
    assert not caplog.messages, "said once"


def test_a_process_that_still_loads_a_plugin_has_not_crashed(fake_plugins, caplog):
    with crash_mark() as mark:
        mark("slow")
        with crash_mark():
            pass
    assert not caplog.messages


def test_a_plugin_that_takes_long_is_named(fake_plugins, monkeypatch, caplog):
    monkeypatch.setattr(plugin_calls, "PATIENCE_SECONDS", 0.01)
    fake_plugins.install("headmotion-slow", "import time\ntime.sleep(0.3)\n" + offering("slow/part"))
    assert by_name(fake_plugins.registry())["slow"].status == "ok"
    assert "plugin slow: loading takes more than 0.01 seconds; HEADMOTION_PLUGINS_OFF=slow" in caplog.text


def test_licenses_are_collected_by_plugin(fake_plugins):
    source = (
        "from headmotion.core.assets import Asset\n"
        + HOOK
        + "def headmotion_licenses(): yield Asset('weights.bin', 'MIT', 'made by us', bundled=False, note='large')"
    )
    fake_plugins.install("headmotion-good", source)
    fake_plugins.install("headmotion-plain", offering("plain/part"))
    fake_plugins.install("headmotion-bad", HOOK + "def headmotion_licenses(): return ['MIT']")
    registry = fake_plugins.registry()
    ((asset,), none) = registry.assets["good"], registry.assets["plain"]
    assert (asset.name, asset.license, asset.source, asset.bundled) == ("weights.bin", "MIT", "made by us", False)
    assert none == () and "bad" not in registry.assets
    assert "licenses that are headmotion.Asset, got 'MIT'" in by_name(registry)["bad"].error


def test_converters_are_found_and_checked(fake_plugins):
    way = "from headmotion.core.interfaces.converter import Converter\n"
    offer = "def headmotion_converters(): return [{}]"
    good = "Converter('good/rig', 'landmarks68', lambda motion, target: motion, 'rig')"
    fake_plugins.install("headmotion-good", way + HOOK + offer.format(good))
    fake_plugins.install("headmotion-bad", HOOK + offer.format("'landmarks68'"))
    foreign = "Converter('mesh478', 'landmarks68', lambda motion, target: motion)"
    fake_plugins.install("headmotion-thief", way + HOOK + offer.format(foreign))
    twice = "*[Converter('twin/a', 'twin/b', lambda motion, target: motion)] * 2"
    fake_plugins.install("headmotion-twin", way + HOOK + offer.format(twice))
    registry = fake_plugins.registry()
    assert set(registry.converters) == {("good/rig", "landmarks68")}
    assert registry.converters["good/rig", "landmarks68"].loss == "rig"
    records = by_name(registry)
    assert "converters that are headmotion.Converter, got 'landmarks68'" in records["bad"].error
    assert "converters from or to thief/..., got mesh478 to landmarks68" in records["thief"].error
    assert "a conversion that no other plugin offers, got twin/a to twin/b" in records["twin"].error


@pytest.mark.parametrize("what", ["readers", "writers"])
def test_formats_of_motion_are_found_and_checked(fake_plugins, what):
    offer = f"def headmotion_motion_{what}(): return {{}}"
    for name, readers in {
        "good": "{'.track': lambda path: f'read {path}'}",
        "thief": "{'.npz': print}",
        "twin": "{'.track': print}",
        "bare": "{'track': print}",
        "silent": "{'.mute': None}",
    }.items():
        fake_plugins.install(f"headmotion-{name}", HOOK + offer.replace("{}", readers))
    registry = fake_plugins.registry()
    functions, suffixes = {
        "readers": (registry.motion_readers, registry.motion_suffixes),
        "writers": (registry.motion_writers, registry.written_suffixes),
    }[what]
    assert functions[".track"]("a.track") == "read a.track" and ".track" in suffixes
    records = by_name(registry)
    for name, suffix in (("thief", ".npz"), ("twin", ".track")):
        assert f"a suffix for which there are no {what}, got '{suffix}'" in records[name].error
    assert all(f"{what} by suffix, such as .bvh" in records[name].error for name in ("bare", "silent"))


def test_other_modules_of_the_family_are_no_hooks(fake_plugins):
    fake_plugins.install("headmotion-good", "import json as headmotion_helpers\n" + offering("good/part"))
    assert by_name(fake_plugins.registry())["good"].status == "ok"


def test_entry_point_is_named_as_the_distribution(fake_plugins):
    fake_plugins.install("headmotion-good", offering("better/part"), name="better")
    fake_plugins.install("other", offering("other/part"), name="other")
    fake_plugins.install("Headmotion_Any.Case", offering("any-case/part"), name="any-case")
    records = by_name(fake_plugins.registry())
    assert "a distribution named 'headmotion-better'" in records["better"].error
    assert "a distribution named 'headmotion-other'" in records["other"].error
    assert records["any-case"].status == "ok"


def test_a_name_cannot_be_taken_from_its_owner(fake_plugins):
    fake_plugins.install("headmotion", offering("part"), name="room")
    fake_plugins.install("headmotion", offering("part"), name="room-2")
    fake_plugins.install("headmotion-room", offering("room/part"))
    registry = fake_plugins.registry()
    assert [record.status for record in registry.records] == ["ok", "error", "error"]
    assert "generator 'part', which room owns" in registry.records[1].error
    assert "a name that no other plugin has" in registry.records[2].error
    assert registry.owners == {("generator", "part"): "room"}


def test_own_types_have_no_namespace(fake_plugins):
    fake_plugins.install("headmotion", offering("room/part"), name="room")
    assert "a generator type named 'part', got 'room/part'" in fake_plugins.registry().records[0].error


@pytest.mark.parametrize(
    ("selected", "on"),
    [
        (None, {"room", "a", "b"}),
        ("", {"room"}),
        ("a", {"room", "a"}),
        (" b, a ", {"room", "a", "b"}),
        ("c", {"room"}),
    ],
)
def test_selection(fake_plugins, monkeypatch, selected, on):
    fake_plugins.install("headmotion", offering("part"), name="room")
    fake_plugins.install("headmotion-a", offering("a/part"))
    fake_plugins.install("headmotion-b", offering("b/part"))
    if selected is not None:
        monkeypatch.setenv("HEADMOTION_PLUGINS", selected)
    records = by_name(fake_plugins.registry())
    assert {name for name, record in records.items() if record.status == "ok"} == on
    assert {record.status for record in records.values()} <= {"ok", "off"}


def test_unknown_type_says_what_to_do(fake_plugins, monkeypatch):
    fake_plugins.install("headmotion", offering("part"), name="room")
    fake_plugins.install("headmotion-good", offering("good/part"))
    fake_plugins.install("headmotion-bad", "import no_such_module_at_all")
    fake_plugins.install("headmotion-quiet", offering("quiet/part"))
    monkeypatch.setenv("HEADMOTION_PLUGINS", "good,bad")
    registry = fake_plugins.registry()
    for name, remedy in {
        "parts": "did you mean 'part'",
        "good/prat": "did you mean 'good/part'",
        "zzzzzz": "see `headmotion plugins`",
        "none/x": "such as headmotion-none",
        "bad/x": "its plugin is error: ModuleNotFoundError",
        "quiet/part": "its plugin is off: HEADMOTION_PLUGINS",
    }.items():
        with pytest.raises(SpecError) as caught:
            registry.resolve("generator", name)
        assert remedy in str(caught.value)
        assert "one of good/part, part" in str(caught.value)
    with pytest.raises(SpecError, match=r"one of \(none\)"):
        registry.resolve("metric", "part")


def test_call_reaches_one_plugin_only(fake_plugins):
    hook = "@hookimpl\ndef headmotion_migrate(spec, version): return {'by': '%s', 'version': version}"
    fake_plugins.install("headmotion-a", offering("a/part") + hook % "a")
    fake_plugins.install("headmotion-b", offering("b/part") + hook % "b")
    fake_plugins.install("headmotion-c", offering("c/part"))
    registry = fake_plugins.registry()
    assert registry.call("a", "headmotion_migrate", spec={}, version="1") == {"by": "a", "version": "1"}
    assert registry.call("c", "headmotion_migrate", spec={}, version="1") is None


def test_installed_plugins_of_a_process(fake_plugins):
    """As users meet it: a broken and a good plugin together with headmotion's own parts, in a fresh process."""
    fake_plugins.install("headmotion-bad", "import no_such_module_at_all")
    fake_plugins.install("headmotion-good", offering("good/part"))
    code = "from headmotion.core.plugins import registry\nfor r in registry().records: print(r.dist, r.name, r.status)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(fake_plugins.folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split() for line in run.stdout.splitlines()]
    assert ["headmotion-bad", "bad", "error"] in lines
    assert ["headmotion-good", "good", "ok"] in lines
    assert lines[0][0] == "headmotion", "own parts come first"
    assert all(status == "ok" for dist, _, status in lines if dist == "headmotion")


@pytest.mark.parametrize("stream", ["stdout", "stderr", "__stdout__", "__stderr__"])
def test_a_plugin_that_closes_a_standard_stream_harms_no_other(fake_plugins, stream):
    close = f"import sys\nsys.{stream}.close()\n"
    hook = f"import sys\n@hookimpl\ndef headmotion_models(): return {close.split()[-1]} or {{}}"
    prints = "for each in sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__: print('hello', file=each)\n"
    fake_plugins.install("headmotion-a", close)
    fake_plugins.install("headmotion-b", offering("b/part") + hook)
    fake_plugins.install("headmotion-c", f"import sys\n{prints}{offering('c/part')}")
    code = "from headmotion.core.plugins import registry\n"
    code += "for each in registry().records: print(each.name, each.status, each.error)\n"
    run = subprocess.run(
        [sys.executable, "-c", code + "print(registry().types('generator'))"],
        env=os.environ | {"PYTHONPATH": python_path(fake_plugins)},
        capture_output=True,
        text=True,
        check=True,
    )
    *lines, types = run.stdout.splitlines()
    records = {name: rest for name, _, rest in (line.partition(" ") for line in lines)}
    for closing in "ab":
        assert records[closing].startswith("error") and "standard output and error to be left open" in records[closing]
    assert records["c"].startswith("ok") and run.stderr == 4 * "hello\n"
    assert "c/part" in types and "b/part" not in types


def test_what_a_plugin_changes_for_the_whole_process_is_put_back(fake_plugins, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    changes = """
import locale, os, random, signal, sys, warnings
import numpy as np
import torch
os.chdir("/")
os.umask(0o777)
np.seterr(all="raise")
random.seed(1), np.random.seed(1), torch.manual_seed(1)
os.environ["HEADMOTION_LIMIT_FACTOR"], os.environ["OWN_THREADS"] = "1000", "1"
os.environ.pop("HEADMOTION_CHANGES", "")
torch.set_grad_enabled(False)
torch.set_default_dtype(torch.float64)
torch.set_default_device("meta")
sys.setrecursionlimit(600)
signal.alarm(60)
warnings.filterwarnings("ignore", message="the plugin's own")
warnings.simplefilter("error", ResourceWarning)
locale.setlocale(locale.LC_NUMERIC, "C.UTF-8")
"""

    def settings():
        limits = sys.getrecursionlimit(), signal.getitimer(signal.ITIMER_REAL)
        errors = [each for each in warnings.filters if each[0] == "error"]
        os.umask(mask := os.umask(0o077))
        variables = {name: value for name, value in os.environ.items() if name.startswith("HEADMOTION_")}
        defaults = torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled()
        return Path.cwd(), limits, locale.setlocale(locale.LC_ALL), errors, defaults, mask, np.geterr(), variables

    def random_states():
        return random.getstate(), np.random.get_state()[1].tobytes(), torch.get_rng_state().tolist()

    monkeypatch.setenv("HEADMOTION_CHANGES", "mine")
    monkeypatch.setenv("OWN_THREADS", "4")
    with warnings.catch_warnings():
        before, states = settings(), random_states()
        fake_plugins.install("headmotion-changes", changes + offering("changes/part"))
        assert by_name(fake_plugins.registry())["changes"].status == "ok"
        assert settings() == before and random_states() == states
        assert os.environ["OWN_THREADS"] == "1"  # libraries are configured like this
        assert any(each[0] == "ignore" and "own" in getattr(each[1], "pattern", "") for each in warnings.filters)
        with pytest.raises(PluginError), plugin_calls.running_plugin("changes", "a hook"):
            exec(changes)
            raise KeyError
        assert settings() == before
