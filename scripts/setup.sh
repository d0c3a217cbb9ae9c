#!/bin/sh
# Makes .venv with everything pinned in requirements.txt; does nothing when that is done already.
# With --browser it also sees to the browser that the browser tests drive.
# PYTHON names another interpreter; pip's own settings (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL …) are honoured.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }
may_install() { [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; }

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get update -qq > /dev/null \
        && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > /dev/null
}

find_python() {
    for candidate in ${PYTHON:-} python3.12 python3.11 python3; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2> /dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

make_environment() {
    python=$(find_python)
    if [ -z "$python" ]; then
        fail "Python 3.11 or 3.12 is needed (mediapipe 0.10.21 has no build for 3.13 and later). Install python3.12" \
            "or name an interpreter: PYTHON=/path/to/python3.12 make setup"
    fi
    if ! "$python" -c 'import ensurepip, venv' 2> /dev/null; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        may_install || fail "Python's venv module is missing. Run: apt-get install $package"
        say "installing $package"
        apt_install "$package" || fail "apt-get could not install $package"
    fi
    say "making .venv with $("$python" --version)"
    "$python" -m venv .venv
}

install_requirements() {
    say "installing the pinned packages (some minutes the first time)"
    pip="env PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install --quiet --progress-bar off"
    torch=$(grep '^torch==' requirements.txt)
    # torch goes first and with its own needs, which differ between CPU and GPU builds.
    $pip "$torch" || fail "pip could not install $torch; see its message above"
    $pip --no-deps -r requirements.txt || fail "pip could not install requirements.txt; see its message above"
    $pip --no-deps --no-build-isolation -e . || fail "pip could not install this folder; see its message above"
}

check_libraries() {
    # The wheels bring their own libraries along; the C++ runtime is the system's.
    if ! problem=$(.venv/bin/python -c 'import cv2, _dlib_pybind11' 2>&1); then
        may_install || fail "a system library is missing; run: apt-get install libstdc++6 zlib1g ($(echo "$problem" | tail -1))"
        apt_install libstdc++6 zlib1g
        .venv/bin/python -c 'import cv2, _dlib_pybind11' || fail "the face libraries do not load; see above"
    fi
}

has_browser() {
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" > /dev/null && return
    done
    .venv/bin/python -c 'from pathlib import Path
from playwright.sync_api import sync_playwright as start
with start() as p: raise SystemExit(not Path(p.chromium.executable_path).exists())' 2> /dev/null
}

install_browser() {
    if may_install && apt-get update -qq > /dev/null && [ "$(. /etc/os-release && echo "$ID")" = debian ]; then
        say "installing chromium and a Korean font"
        apt_install chromium fonts-noto-cjk && return
    fi
    say "downloading a browser with playwright"
    if may_install; then
        .venv/bin/python -m playwright install --with-deps chromium && return
    else
        .venv/bin/python -m playwright install chromium && return
    fi
    say "no browser could be had: the browser tests will be listed as not run"
}

stamp=$(cat requirements.txt pyproject.toml scripts/setup.sh | sha256sum | cut -d ' ' -f 1)
[ -x .venv/bin/python ] || make_environment
if [ "$(cat .venv/installed 2> /dev/null || true)" != "$stamp" ]; then
    install_requirements
    check_libraries
    echo "$stamp" > .venv/installed
    say "done"
fi
if [ "${1:-}" = --browser ]; then
    has_browser || install_browser
fi
