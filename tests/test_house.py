"""The policy of the house: public names, light import, who imports whom, who writes, what is never committed."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import workbench

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src"
PACKAGE = SOURCES / "workbench"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {"torch", "transformers", "peft", "codecarbon", "model2vec", "pandas", "pyarrow", "sklearn", "evaluate", "yaml"}
FACES = {"cli", "widgets"}
FACE_LIBRARIES = {"ipywidgets", "IPython", "traitlets", "anywidget", "rich", "tqdm", "typer", "click"}
TRAINING = {"torch", "transformers", "peft", "codecarbon", "model2vec", "skeletoken"}


def room(module):
    """The first part of a module's name below the package."""
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def python(code, **more):
    """Run code in a new interpreter that sees this package."""
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(SOURCES)!r})\n{code}"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        **more,
    )


@functools.cache
def parsed(module):
    """A module's syntax tree."""
    return ast.parse(module.read_text(encoding="utf-8"))


def committed():
    """Every text file that is, or would be, in the repository."""
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("not a git clone")
    for name in filter(None, done.stdout.split("\0")):
        if (ROOT / name).is_file():
            try:
                yield name, (ROOT / name).read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def test_the_public_names_are_exactly_these():
    names = ["Recipe", "Run", "WorkbenchError", "__version__", "check", "resume", "run", "verify"]
    assert sorted(workbench.__all__) == names
    assert dir(workbench) == names
    for name in names:
        assert getattr(workbench, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'train'"):
        _ = workbench.train


def test_importing_the_package_loads_nothing_heavy():
    done = python(f"import workbench\nprint(sorted({HEAVY | FACE_LIBRARIES} & set(sys.modules)))")
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("name", ["storage", "recipe", "runs", "metrics", "reporting"])
def test_a_room_that_must_work_without_training_libraries_loads_none(name):
    done = python(f"import workbench.{name}\nprint(sorted({TRAINING} & set(sys.modules)))")
    assert done.stdout.strip() == "[]", done.stderr


def test_rooms_import_only_what_the_contracts_allow():
    code = (
        "from importlinter.cli import lint_imports\n"
        f"sys.exit(lint_imports(config_filename={str(ROOT / 'pyproject.toml')!r}, no_cache=True))"
    )
    done = python(code, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def imported(tree):
    """Top names of every import in a module, also of those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.partition(".")[0]


def test_only_the_faces_import_widgets_terminals_and_progress_bars():
    found = [
        f"{module.relative_to(PACKAGE)}: {name}"
        for module in MODULES
        if room(module) not in FACES
        for name in imported(parsed(module))
        if name in FACE_LIBRARIES
    ]
    assert found == []


WRITING_METHODS = {
    *("write_text", "write_bytes", "mkdir", "touch", "unlink", "rmdir", "rename", "symlink_to", "hardlink_to"),
    *("to_csv", "to_parquet", "to_json", "to_pickle", "save_pretrained", "savefig", "save_file", "savez", "rmtree"),
    *("copyfile", "copytree", "copy2", "move", "makedirs", "remove", "write_table", "write_feather", "mkdtemp"),
    *("NamedTemporaryFile", "TemporaryFile", "TemporaryDirectory", "mkstemp", "extractall"),
}
WRITING_MODULES = {"shutil", "tempfile", "pickle"}
TO_MEMORY = re.compile(r"^(buffer|sink|stream|memory|out|io\.BytesIO\(\))$")


def writes(tree):
    """Lines at which a module would touch the disk on its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function, first = node.func, ast.unparse(node.args[0]) if node.args else ""
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            owner = ast.unparse(function.value) if isinstance(function, ast.Attribute) else ""
            if name == "open" and opens_for_writing(node, owner):
                yield node.lineno, "open"
            elif name in WRITING_METHODS and owner and owner != "storage" and not TO_MEMORY.match(first):
                if not (name.startswith("to_") and not node.args and not node.keywords):
                    yield node.lineno, name
            elif name in {"save", "dump"} and owner in {"np", "numpy", "torch", "json", "joblib", "pickle"}:
                if not TO_MEMORY.match(ast.unparse(node.args[0 if name == "save" else 1])):
                    yield node.lineno, f"{owner}.{name}"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for name in imported(ast.Module([node], [])):
                if name in WRITING_MODULES:
                    yield node.lineno, f"import {name}"


def opens_for_writing(call, owner):
    """Whether ``open`` is called with a mode that changes a file, or one that cannot be read here."""
    if re.fullmatch(r"[A-Z]\w+", owner) and owner != "Path":
        return False  # a class of our own that opens something, not a path
    position = 0 if owner and owner not in {"io", "os", "codecs", "gzip"} else 1
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    given += call.args[position : position + 1]
    return any(not isinstance(mode, ast.Constant) or set(str(mode.value)) & set("wax+") for mode in given)


def test_the_scan_for_writes_sees_what_it_is_for():
    code = (
        "import shutil\nPath('x').write_text('y')\nopen('x', 'w')\npath.open('ab')\nnp.save(path, a)\n"
        "json.dump(a, file)\nframe.to_csv(path)\nimport tempfile as t\nos.remove('x')\npq.write_table(t, path)\n"
        "open('x', mode=how)\n"
    )
    assert sorted({line for line, _ in writes(ast.parse(code))}) == list(range(1, 12))
    fine = (
        "Encoder.open(w)\nstorage.write_text(p, 'x')\nopen('x')\npath.open()\nopen('x', 'rb')\n"
        "np.save(buffer, a)\nframe.to_json()\n"
    )
    assert list(writes(ast.parse(fine))) == []


ALLOWED_WRITES = {
    "evaluation/measurement.py": "saves a candidate, through storage, to a temporary folder for the process that "
    "measures its memory",
    "evaluation/tuned_references.py": "a reference model lies in a temporary folder, is asked once and gone",
}
"""Module to the reason why it may write by itself."""


def test_only_storage_writes_files():
    found = [
        f"{module.relative_to(PACKAGE).as_posix()}:{line}: {what}"
        for module in MODULES
        if room(module) != "storage" and module.relative_to(PACKAGE).as_posix() not in ALLOWED_WRITES
        for line, what in writes(parsed(module))
    ]
    assert found == []


def test_nothing_prints():
    found = [
        f"{module.relative_to(PACKAGE)}:{node.lineno}"
        for module in MODULES
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert found == []


def test_no_module_is_over_400_lines_or_has_a_name_that_says_nothing():
    long = {str(module.relative_to(PACKAGE)): lines for module in MODULES if (lines := lines_of(module)) > 400}
    assert long == {}
    assert not [module for module in MODULES if module.stem in {"utils", "util", "helpers", "common", "misc"}]


def lines_of(module):
    """Lines of a module."""
    return len(module.read_text(encoding="utf-8").splitlines())


def test_every_module_says_what_it_is_for():
    empty = [str(module.relative_to(PACKAGE)) for module in MODULES if not ast.get_docstring(parsed(module))]
    assert empty == []


def test_nothing_committed_names_a_machine_or_a_registry():
    hosts = ["py" + "pi.org", "python" + "hosted", "npm" + "js.org", "deb.debian" + ".org"]
    paths = r"(?<![\w.~])/(?:wo" + "rk|ro" + "ot|ho" + r"me/\w|Us" + r"ers/\w)[/\s'\"]"
    pattern = re.compile("|".join([*map(re.escape, hosts), paths]))
    found = [f"{name}: {hit.group()!r}" for name, text in committed() for hit in pattern.finditer(text)]
    assert found == []


def test_no_notebook_holds_an_absolute_path_or_installs_something():
    for name, text in committed():
        if name.endswith(".ipynb"):
            assert "!pip" not in text, name
            assert "%pip" not in text, name


@pytest.mark.slow
def test_the_python_blocks_of_the_readme_run(tmp_path, monkeypatch):
    from workbench import pipeline

    small = (
        "data.labelled.per_class=10",
        "teacher=",
        "students=[]",
        "data.splits.max_pool=100",
        "data.splits.max_test=400",
        "evaluation.resamples=1000",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workbench, "run", functools.partial(pipeline.run, overrides=small), raising=False)
    pytest.importorskip("simple_icd_10_cm", reason="the extra icd10 is not installed")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})  # noqa: S102  (our own README)


def test_the_commands_of_the_readme_exist():
    from workbench.cli.app import app

    known = {one.name for one in (*app.registered_commands, *app.registered_groups)}
    for name in ("README.md", "CONTRIBUTING.md", "docs/architecture.md"):
        named = set(
            re.findall(r"^\s*(?:\$ )?workbench ([a-z]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        )
        assert named <= known, name


@pytest.mark.slow
def test_a_wheel_brings_recipes_notebooks_and_templates_along(tmp_path):
    pytest.importorskip("hatchling", reason="the extra dev is not installed")
    code = "from hatchling.build import build_wheel; import os; print(build_wheel(os.environ['WHEEL_TO']))"
    done = python(code, cwd=ROOT, env={**__import__("os").environ, "WHEEL_TO": str(tmp_path)})
    assert done.returncode == 0, done.stderr[-2000:]
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    for folder in ("recipes", "notebooks"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file() and not {".ipynb_checkpoints", "__pycache__", "runs"} & set(file.parts):
                assert f"workbench/shipped/{file.relative_to(ROOT).as_posix()}" in names
    inside = [file for file in PACKAGE.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert {f"workbench/{file.relative_to(PACKAGE).as_posix()}" for file in inside} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
