"""The package as a whole: what it imports, what it names, what it pins, how it is installed."""

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import netphase

HEAVY = ("xarray", "zarr", "matplotlib", "scipy", "pandas", "click", "rich")
SOURCE = Path(netphase.__file__).parent


def loaded_by(program: str, candidates: tuple[str, ...]) -> set[str]:
    """Which of some packages a program in a fresh interpreter has imported."""
    code = f"{program}\nimport sys\nprint(*(n for n in {candidates!r} if n in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def lazy_names() -> dict[str, str]:
    """Public name → module it is fetched from."""
    return {name: module for module, names in netphase._HOMES.items() for name in names}


def test_importing_netphase_imports_no_third_party_package():
    assert loaded_by("import netphase", (*HEAVY, "numpy", "msgspec")) == set()


def test_the_floors_below_results_load_without_heavy_packages():
    program = "import netphase\nnetphase.evolve, netphase.datasets, netphase.kernels"
    assert loaded_by(program, HEAVY) == set()


def test_the_command_line_loads_without_heavy_packages():
    assert loaded_by("import netphase.cli", (*HEAVY[:5], "numpy")) == set()


def test_every_public_name_can_be_fetched():
    for name in netphase.__all__:
        assert getattr(netphase, name) is not None


def test_public_names_are_listed_alike_for_people_and_for_type_checkers():
    tree = ast.parse(Path(netphase.__file__).read_text("utf-8"))
    typed: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("netphase"):
            typed |= {alias.name: node.module.partition(".")[2] for alias in node.names}
    fetched = lazy_names() | dict.fromkeys(netphase._SUBMODULES, "")
    assert typed == fetched
    assert set(netphase.__all__) == set(fetched) | {"__version__"}
    assert dir(netphase) == sorted(netphase.__all__)


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'netphase' has no attribute 'lazyness'"):
        netphase.lazyness  # noqa: B018


def test_subpackages_hand_on_what_they_list():
    for folder in sorted(path.parent for path in SOURCE.rglob("__init__.py")):
        name = ".".join(("netphase", *folder.relative_to(SOURCE).parts))
        module = importlib.import_module(name)
        for public in getattr(module, "__all__", ()):
            assert hasattr(module, public), f"{name}.{public}"


def test_every_module_says_what_it_holds():
    silent = [
        path.relative_to(SOURCE).as_posix()
        for path in sorted(SOURCE.rglob("*.py"))
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


@pytest.mark.checkout
def test_the_version_is_that_of_the_project(checkout):
    project = tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))["project"]
    assert netphase.__version__ == project["version"]
    assert f"\nversion: {project['version']}\n" in (checkout / "CITATION.cff").read_text("utf-8")


@pytest.mark.checkout
def test_constraints_hold_names_and_versions_only(checkout):
    lines = (checkout / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 50
    for pin in pins:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", pin), pin


@pytest.mark.checkout
def test_every_direct_dependency_is_pinned(checkout):
    document = tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))
    groups = document["dependency-groups"].values()
    wanted = [entry for group in groups for entry in group if isinstance(entry, str)]
    wanted += document["project"]["dependencies"]
    pins = (checkout / "constraints.txt").read_text("utf-8")
    pinned = {normal(line.partition("==")[0]) for line in pins.splitlines()}
    missing = {normal(re.split(r"[<>=\[]", entry)[0]) for entry in wanted} - pinned
    assert missing == set()


@pytest.mark.checkout
def test_no_default_install_brings_a_deep_learning_framework(checkout):
    pins = (checkout / "constraints.txt").read_text("utf-8")
    assert not re.search(r"^(torch|jax|jaxlib|tensorflow|nvidia-.*)==", pins, re.MULTILINE)


@pytest.mark.checkout
def test_no_configuration_names_a_registry(checkout):
    names = ("pyproject.toml", "constraints.txt", "Makefile", ".ci/run", ".pre-commit-config.yaml")
    for name in names:
        text = (checkout / name).read_text("utf-8")
        assert not re.search("index.url", text), name
        assert "://" not in text, name
    assert "uv.lock" in (checkout / ".gitignore").read_text("utf-8").split()


@pytest.mark.checkout
def test_the_make_commands_of_the_texts_exist(checkout):
    targets = set(re.findall(r"^([a-z-]+):", (checkout / "Makefile").read_text("utf-8"), re.M))
    texts = [checkout / "README.md", checkout / "CONTRIBUTING.md", *checkout.glob("docs/*.md")]
    named = {
        target
        for text in texts
        for target in re.findall(r"(?:^\$? ?|`)make ([a-z-]+)", text.read_text("utf-8"), re.M)
    }
    assert {"diagram", "check", "dev"} <= named
    assert named <= targets
    required = {"diagram", "test", "test-slow", "check", "docs", "bench", "reproduce", "clean"}
    assert required | {"help"} <= targets


@pytest.mark.checkout
def test_imports_point_down_the_floors(checkout):
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [linter, "--no-cache"], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


@pytest.mark.checkout
@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("CXX=no-such-compiler", "netphase needs a C++17 compiler and found none"),
        ("PYTHON=", "netphase needs Python 3.11 or later"),
    ],
)
def test_make_says_in_one_sentence_what_the_machine_lacks(checkout, tmp_path, setting, sentence):
    make = shutil.which("make")
    assert make, "make is not on the PATH; a working copy needs it"
    target = tmp_path / "venv" / ".created"
    command = [make, f"VENV={target.parent}", setting, str(target)]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr.startswith(sentence)
    assert not target.parent.exists()


@pytest.mark.checkout
def test_cmake_says_in_one_sentence_that_there_is_no_compiler(checkout, tmp_path):
    cmake = shutil.which("cmake", path=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
    assert cmake, "cmake is not installed; it is in the dependency group `build`"
    done = subprocess.run(
        [cmake, "-S", str(checkout), "-B", str(tmp_path)],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "netphase needs a C++17 compiler and found none" in " ".join(done.stderr.split())


def normal(name: str) -> str:
    """A distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
