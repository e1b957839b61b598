#!/bin/sh
# Make .venv fit to use, or say plainly what is missing:
#
#     sh virtual-environment.sh [--no-compiler] [EXTRA]
#
# EXTRA is an extra of pyproject.toml: test, dev, docs, notebooks or cuda. PYTHON=... chooses the interpreter.
# Does nothing when .venv is up to date: same pyproject.toml (of both distributions in the clone), same Python, same
# folder, same extra.
set -eu
cd "$(dirname "$0")"

extra=""
needs_compiler=yes
for argument in "$@"; do
    case $argument in
        --no-compiler) needs_compiler=no ;;
        -*) echo "virtual-environment.sh: unknown option $argument; the only one is --no-compiler" >&2; exit 2 ;;
        *) extra=$argument ;;
    esac
done

say() { printf '%s\n' "$*" >&2; }
fail() { printf '%s\n' "$@" >&2; exit 1; }

# One line of advice for the system at hand: the package's name with apt, dnf, pacman and zypper.
how_to_install() {
    if command -v apt-get >/dev/null 2>&1; then say "    sudo apt install $1"
    elif command -v dnf >/dev/null 2>&1; then say "    sudo dnf install $2"
    elif command -v pacman >/dev/null 2>&1; then say "    sudo pacman -S $3"
    elif command -v zypper >/dev/null 2>&1; then say "    sudo zypper install $4"
    else
        say "    Debian, Ubuntu:  sudo apt install $1"
        say "    Fedora:          sudo dnf install $2"
    fi
}

# ---------------------------------------------------------------------------------------------- compiler
# As the engine chooses it: CXX, with its options or behind a wrapper, or what is there.
first_word() { eval "set -- $1"; printf '%s' "${1:-}"; }

compiler=${CXX:-}
if [ "$needs_compiler" = yes ]; then
    if [ -n "$compiler" ]; then
        command -v "$compiler" >/dev/null 2>&1 || command -v "$(first_word "$compiler")" >/dev/null 2>&1 || fail \
            "CXX=$compiler: there is no such program; name a C++ compiler, such as CXX=g++, or unset CXX."
    else
        for candidate in g++ clang++ c++; do
            if command -v "$candidate" >/dev/null 2>&1; then compiler=$candidate; break; fi
        done
    fi
    if [ -z "$compiler" ]; then
        say "Hebbarium compiles each network to a C++ program, and g++ was not found on the PATH, nor was clang++."
        say "Install it, then run the same command again:"
        how_to_install "g++ make" "gcc-c++ make" "gcc make" "gcc-c++ make"
        exit 1
    fi
fi

compile() {
    # a path with spaces and without quotes is one program
    if command -v "$compiler" >/dev/null 2>&1; then "$compiler" "$@"; else eval "$compiler \"\$@\""; fi
}

# ---------------------------------------------------------------------------------------------- freshness
# A finished set-up leaves a record of what it was made from; a different record means that it is stale.
# The folder is part of it, because a virtual environment holds absolute paths and does not survive a move.
interpreter=.venv/bin/python
record_file=.venv/hebbarium-${extra:-base}.txt

record() {
    printf 'folder: %s\n' "$(pwd -P)"
    printf 'python: %s\n' "$("$interpreter" -c 'import sys; print(sys.version)' 2>/dev/null | tr '\n' ' ')"
    printf 'requested: %s\n' "${PYTHON:-}"
    printf 'pyproject.toml: %s\n' "$(cksum < pyproject.toml)"
    printf 'dense_pathways/pyproject.toml: %s\n' "$(cksum < dense_pathways/pyproject.toml)"
}

is_fresh() {
    [ -x "$interpreter" ] && [ -f "$record_file" ] || return 1
    # Left out, PYTHON means "whatever .venv has": only a request that differs from the last one counts.
    if [ -n "${PYTHON:-}" ]; then
        [ "$(cat "$record_file")" = "$(record)" ]
    else
        [ "$(grep -v '^requested: ' "$record_file")" = "$(record | grep -v '^requested: ')" ]
    fi
}

is_fresh && exit 0

# Two commands started together would install into one folder: the second waits, then finds it done.
if command -v flock >/dev/null 2>&1 && [ -z "${HEBBARIUM_SETTING_UP:-}" ]; then
    status=0
    HEBBARIUM_SETTING_UP=1 flock pyproject.toml sh virtual-environment.sh "$@" || status=$?
    exit "$status"
fi

# ---------------------------------------------------------------------------------------------- Python
# Runs, and is a CPython of a supported version; a pyenv shim without such a version fails here.
# The bounds are those of requires-python in pyproject.toml.
is_supported() {
    "$1" -c 'import sys; sys.exit(not (3, 12) <= sys.version_info[:2] < (3, 15)
             or sys.implementation.name != "cpython")' >/dev/null 2>&1
}
has_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

candidates() {
    printf '%s\n' python3.12 python3.13 python3.14 python3 python
    for version in 3.12 3.13 3.14; do
        for found in "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions/$version".*/bin/python \
                     "${HOME:-}/.local/share/uv/python/cpython-$version".*/bin/python3 \
                     /usr/local/bin/python$version /opt/python$version/bin/python3; do
            if [ -x "$found" ]; then printf '%s\n' "$found"; fi
        done
    done
}

find_python() {
    without_venv=""
    if [ -n "${PYTHON:-}" ]; then
        is_supported "$PYTHON" || fail \
            "PYTHON=$PYTHON does not run as CPython 3.12, 3.13 or 3.14; name one that does, or leave PYTHON out."
        if has_venv "$PYTHON"; then python=$PYTHON; else without_venv=$PYTHON; fi
    else
        # one a line: a home folder may have spaces
        IFS='
'
        for candidate in $(candidates); do
            if is_supported "$candidate"; then
                if has_venv "$candidate"; then python=$candidate; break; fi
                without_venv=${without_venv:-$candidate}
            fi
        done
        unset IFS
    fi
    [ -z "${python:-}" ] || return 0
    if [ -n "$without_venv" ]; then
        version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "$without_venv is Python $version, but it cannot make a virtual environment: its venv or ensurepip"
        say "module is missing (some distributions ship them as a package of their own). Install it, then run"
        say "the same command again:"
        how_to_install "python$version-venv" "python3-pip" "python" "python3-pip"
    else
        say "Hebbarium needs Python 3.12 (3.13 and 3.14 work too), and none was found. Looked for python3.12,"
        say "python3.13, python3.14, python3 and python on the PATH, then for versions that pyenv or uv installed."
        say "Install one, then run the same command again:"
        how_to_install "python3.12 python3.12-venv python3.12-dev" "python3.12 python3.12-devel" "python" \
            "python312 python312-devel"
        say "or, where the distribution has none that new:  pyenv install 3.12   (or: uv python install 3.12)"
        say "An interpreter somewhere else is named by PYTHON=/path/to/python3.12 before the command."
    fi
    exit 1
}

# Usable as it is: it runs here, is of a supported version, has pip, and is what PYTHON asks for.
venv_is_usable() {
    [ -x "$interpreter" ] && is_supported "$interpreter" || return 1
    "$interpreter" -m pip --version >/dev/null 2>&1 || return 1
    # In a folder that was moved, the environment's scripts still name the old place.
    head -n 2 .venv/bin/pip 2>/dev/null | grep -qF "$(pwd -P)/.venv/bin/" || return 1
    if [ -n "${PYTHON:-}" ]; then
        is_supported "$PYTHON" || return 1
        [ "$("$PYTHON" -c 'import sys; print(sys.version)')" = \
            "$("$interpreter" -c 'import sys; print(sys.version)')" ] || return 1
    fi
}

# ---------------------------------------------------------------------------------------------- set up
is_fresh && exit 0  # made by another command while this one waited

if [ "$needs_compiler" = yes ] && ! printf '#include <cmath>\nint main() {}\n' | compile -x c++ -fsyntax-only -; then
    say "$compiler is there but cannot compile an empty program; its message stands above. It usually lacks the"
    say "headers of the C and C++ libraries:"
    how_to_install "build-essential" "gcc-c++ glibc-devel" "base-devel" "gcc-c++ glibc-devel"
    exit 1
fi

# Set by some shells and tools, these would make pip install somewhere else than into .venv.
unset PYTHONHOME PYTHONPATH __PYVENV_LAUNCHER__ PIP_TARGET PIP_PREFIX 2>/dev/null || true

if ! venv_is_usable; then
    find_python
    say "Making .venv with $("$python" -c 'import sys; print(sys.executable, "(Python %d.%d.%d)" % sys.version_info[:3])') ..."
    "$python" -m venv --clear .venv || fail \
        "The virtual environment could not be made in $(pwd)/.venv; Python's message stands above."
fi

say "Installing Hebbarium's dependencies into .venv (about a minute, once) ..."
rm -f "$record_file"
PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 "$interpreter" -m pip install -qq --disable-pip-version-check \
    --editable ./dense_pathways --editable ".${extra:+[$extra]}" || fail \
    "pip could not install the dependencies; its message stands above. Without a network connection, or" \
    "behind a proxy, tell pip (HTTPS_PROXY, or its configuration file) and run the same command again."

include=$("$interpreter" -c 'import sysconfig; print(sysconfig.get_path("include"))')
if [ "$needs_compiler" = yes ] && [ ! -f "$include/Python.h" ]; then
    version=$("$interpreter" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    say "Note: Python's headers are missing. All works but the Cython device, which needs them:"
    how_to_install "python$version-dev" "python$version-devel" "python" "python3-devel"
fi

record > "$record_file.part"
mv "$record_file.part" "$record_file"
say "The virtual environment is ready."
