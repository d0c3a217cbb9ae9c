#!/bin/sh
# Makes requirements.txt again from scripts/requirements/. For maintainers: needs uv (pip install uv).
# Without arguments the present pins are kept where they still fit; --upgrade takes the newest.
set -eu
cd "$(dirname "$0")/.."

torch=torch==2.13.0
pins=$(mktemp)
trap 'rm -f "$pins"' EXIT
grep -v '^torch==' requirements.txt > "$pins" 2>/dev/null || true

uv pip compile scripts/requirements/requirements.in --override scripts/requirements/overrides.txt \
    --python-version 3.11 --annotation-style line --no-header --quiet --output-file "$pins" "$@" > /dev/null

{
    cat <<HEADER
# The whole of what Sajin runs on, pinned. Made by scripts/lock.sh from scripts/requirements/.
# Install with "make setup". By hand: pip install $torch, then pip install --no-deps -r requirements.txt;
# without --no-deps pip stops at mediapipe, whose own pins (numpy 1, protobuf 4, jax) are stricter than its code.
$torch
HEADER
    grep -v "sys_platform == 'never'" "$pins"
} > requirements.txt
