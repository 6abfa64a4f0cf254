#!/usr/bin/env bash
# Sets up the virtual environment that `make demo` and `make test` run in; again, it only brings it up to date.
#   infra/setup.sh [dev]     dev adds what tests and checks need
# Environment: PYTHON (3.11 or newer), VENV (default .venv).
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3} VENV=${VENV:-.venv} KIND=${1:-run}
BIN=$VENV/bin

say() { printf 'setup: %s\n' "$*" >&2; }

have_cjk_font() { command -v fc-list >/dev/null 2>&1 && [[ -n $(fc-list :lang=zh file 2>/dev/null | head -n 1) ]]; }

debian_package() { # what-for package…
  local what=$1; shift
  if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null 2>&1; then
    say "installing $* ($what)"
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@"; } >/tmp/liveproof-apt.log 2>&1 && return 0
    say "apt-get could not install $*; its words are in /tmp/liveproof-apt.log"
  fi
  say "$what: please install $* (Debian, Ubuntu: sudo apt-get install $*)"
  return 1
}

if [[ -z $PYTHON ]] || ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  say "Python 3.11 or newer is needed; install it and say PYTHON=/path/to/python3 make …"; exit 1
fi
if [[ ! -x $BIN/python ]]; then
  say "making $VENV with $("$PYTHON" --version)"
  if ! "$PYTHON" -m venv "$VENV" 2>/tmp/liveproof-venv.log; then
    rm -rf "$VENV"
    debian_package "Python's venv module" "python3-venv" || exit 1
    "$PYTHON" -m venv "$VENV"
  fi
fi
if [[ $KIND == run ]]; then
  have_cjk_font || debian_package "Chinese fonts for the PDF report; without them the report is HTML" fontconfig fonts-noto-cjk || true
  command -v ffmpeg >/dev/null 2>&1 || say "no ffmpeg on this machine: the one inside the imageio-ffmpeg wheel is used"
  # torch first and alone: a CPU build where one is offered, since the ordinary one brings gigabytes of CUDA.
  if ! "$BIN/python" -c 'import torch' 2>/dev/null; then
    say "installing torch (CPU)"
    TORCH=$(sed -n 's/^torch==//p' constraints.txt)
    "$BIN/pip" install -q --disable-pip-version-check "torch==$TORCH+cpu" 2>/dev/null ||
      "$BIN/pip" install -q --disable-pip-version-check --retries 1 --timeout 20 "torch==$TORCH+cpu" --index-url https://download.pytorch.org/whl/cpu 2>/dev/null ||
      "$BIN/pip" install -q --disable-pip-version-check "torch==$TORCH"
  fi
  say "installing LiveProof and its libraries"
  "$BIN/pip" install -q --disable-pip-version-check -c constraints.txt -e .
  # smartcut asks for one older release of av, with which our own demuxing crashes; its cuts are the same with the newer one (tests hold it).
  "$BIN/pip" install -q --disable-pip-version-check --no-deps "smartcut==$(sed -n 's/^smartcut==//p' constraints.txt)"
else
  say "installing what tests and checks need"
  "$BIN/pip" install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
fi
