#!/bin/sh
# What the Makefile sets up, one step per name: venv, tensors, peers, icarus, osu018. Exit status 2 with one
# sentence when something is missing that may not be installed from here.
set -eu
export DEBIAN_FRONTEND=noninteractive

say() { echo "mxforge: $*" >&2; }
refuse() { say "$*"; exit 2; }

# apt_install PACKAGE: install it if we may; status 1 if not.
apt_install() {
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" = 0 ]; then as_root=; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else return 1; fi
    say "Installing $1 with apt-get, once."
    # shellcheck disable=SC2086  # as_root is no word or two
    { $as_root apt-get install -y "$1" || { $as_root apt-get update && $as_root apt-get install -y "$1"; }
    } >/dev/null 2>&1 </dev/null
}

icarus() {
    command -v iverilog >/dev/null && command -v vvp >/dev/null && return
    if ! apt_install iverilog || ! command -v iverilog >/dev/null; then
        refuse "Icarus Verilog is missing; type 'sudo apt-get install iverilog' (or your system's like of it) and try again."
    fi
}

osu018() {
    [ -e /usr/share/qflow/tech/osu018/osu018_stdcells.lib ] || apt_install qflow-tech-osu018 ||
        refuse "The osu018 cells are missing; type 'sudo apt-get install qflow-tech-osu018', or give LIB=, and try again."
}

venv() {
    python=${PYTHON:-python3}
    command -v "$python" >/dev/null || refuse "$python is missing; install Python 3.11 or later, or name one: make PYTHON=python3.12 ..."
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        refuse "Python must be 3.11 or later, not $version; name a newer one: make PYTHON=python3.12 ..."

    # While .venv/unfinished is there the environment is half-made, and is made anew.
    if [ -e .venv/unfinished ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            apt_install "python$version-venv" && "$python" -c 'import ensurepip, venv' 2>/dev/null ||
                refuse "Python's venv module is missing; type 'sudo apt-get install python$version-venv' and try again."
        fi
        rm -rf .venv
        mkdir .venv
        touch .venv/unfinished
        "$python" -m venv .venv
    fi
    touch .venv/unfinished
    say "Installing the packages of requirements.lock into .venv, once (a minute or two)."
    pip_install -r requirements.lock
    pip_install --no-deps --no-build-isolation --editable .
    rm .venv/unfinished
    touch .venv/ready
}

tensors() {
    say "Installing the packages of tensors.lock into .venv, once (about 100 MB)."
    pip_install --no-deps -r tensors.lock
    touch .venv/tensors
}

peers() {
    say "Installing the packages of peers.lock into .venv, once (torch among them: hundreds of MB)."
    pip_install -r peers.lock
    touch .venv/peers
}

pip_install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@" 2>.venv/pip.log </dev/null ||
        { cat .venv/pip.log >&2; refuse "Packages could not be installed into .venv; see above, and try again with a network."; }
}

"$1"
