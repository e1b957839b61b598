"""The C++ compiler of programs: what CXX names, with its options or behind a wrapper, or else what is there."""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from brian2.codegen import cpp_prefs

from hebbarium.files.errors import BuildFailed

VARIABLE = "CXX"
USUAL = ("g++", "clang++", "c++")
# Where a compiler looks for headers and libraries besides its own: programs depend on them too.
_SEARCHED = ("CPATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX")
# What a user asks of a make of his own, or the make that this program was started by of its children.
_OF_ANOTHER_MAKE = ("MAKEFLAGS", "GNUMAKEFLAGS", "MFLAGS", "MAKEFILES", "MAKELEVEL", "MAKEOVERRIDES")


@dataclass(frozen=True)
class Compiler:
    """A compiler that answers.

    Parameters
    ----------
    command : tuple of str
        The program, as an absolute path, and its options.
    version : str
        The first line of what it says of its version.
    """

    command: tuple[str, ...]
    version: str

    def __str__(self) -> str:
        return f"{shlex.join(self.command)}: {self.version}"

    def identity(self) -> list[str]:
        """What a program depends on."""
        searched = [f"{name}={os.environ[name]}" for name in _SEARCHED if os.environ.get(name)]
        return [*self.command, self.version, *searched]

    def assignment(self) -> str:
        """The variable of a makefile that names this compiler, as an argument of make."""
        return f"{VARIABLE}={shlex.join(self.command)}".replace("$", "$$")

    def accepted(self, flags: list[str]) -> list[str]:
        """Those of some flags that it knows."""
        if _accepts(self.command, *flags):
            return flags
        return [flag for flag in flags if _accepts(self.command, flag)]


def chosen() -> Compiler:
    """The compiler that CXX names, or the first of g++, clang++ and c++ on the path.

    Raises
    ------
    BuildFailed
        There is none, or it does not answer.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if text:
        return _answering(_words(text), f"{VARIABLE}={text}")
    for name in USUAL:
        if found := shutil.which(name):
            return _answering((os.path.abspath(found),), name)
    raise BuildFailed(
        f"no C++ compiler: neither {', '.join(USUAL[:-1])} nor {USUAL[-1]} is on the path; install g++ (Debian: apt"
        f" install g++ make), or name a compiler by the environment variable {VARIABLE}"
    )


def for_make() -> dict[str, str]:
    """Environment for a make that nothing but its own arguments steers."""
    return {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_MAKE}


@contextmanager
def for_brian2() -> Iterator[None]:
    """Let Brian2 use this compiler; left alone it asks the C compiler, or those that Python was built with.

    For one thread at a time: inside `hebbarium.engine.isolation.active`.
    """
    command = shlex.join(chosen().command)
    for_extensions = {VARIABLE: command, "LDCXXSHARED": f"{command} -shared"}
    before = {name: os.environ.get(name) for name in for_extensions}
    functions_known = cpp_prefs._compiler_supports_c99
    os.environ.update(for_extensions)
    cpp_prefs._compiler_supports_c99 = True  # log1p, expm1: every compiler of C++11 has them
    try:
        yield
    finally:
        cpp_prefs._compiler_supports_c99 = functions_known
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def python_headers() -> bool:
    """Whether extension modules of Python can be compiled."""
    return (Path(sysconfig.get_path("include")) / "Python.h").is_file()


def _words(text: str) -> tuple[str, ...]:
    # a path with spaces and without quotes is one program
    if whole := shutil.which(os.path.expanduser(text)):
        return (os.path.abspath(whole),)
    try:
        program, *options = shlex.split(text)
    except ValueError as error:
        raise BuildFailed(f"{VARIABLE}={text}: cannot be read ({error}); quote it as for a shell") from error
    found = shutil.which(os.path.expanduser(program))
    if found is None:
        raise BuildFailed(
            f"{VARIABLE}={text}: there is no program '{program}'; name a C++ compiler, such as {VARIABLE}=g++, or unset"
            f" {VARIABLE}"
        )
    return (os.path.abspath(found), *options)


@functools.cache
def _answering(command: tuple[str, ...], name: str) -> Compiler:
    try:
        said = subprocess.run(
            [*command, "--version"], capture_output=True, text=True, errors="replace", check=True, timeout=60
        )
    except subprocess.CalledProcessError as error:
        raise BuildFailed(
            f"{name}: '{shlex.join(command)} --version' failed: {' '.join((error.stderr or error.stdout).split())}"
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildFailed(f"{name}: '{shlex.join(command)} --version' failed ({error})") from error
    return Compiler(command, said.stdout.partition("\n")[0].strip())


@functools.cache
def _accepts(command: tuple[str, ...], *flags: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "empty.cpp"
        source.write_text("int main() { return 0; }\n", encoding="utf-8")
        # to an object: some flags are refused by the code generator alone
        asked = [*command, *flags, "-c", str(source), "-o", str(source.with_suffix(".o"))]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0
