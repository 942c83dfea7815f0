#!/usr/bin/env bash
# environment.sh VENV REQUIREMENTS: makes or completes the virtual environment; does nothing when it is up to date.
# A stamp is written when an install is whole, so one that was cut short is made anew.
set -euo pipefail
venv=$1 requirements=$2

refuse() { echo "$*" >&2; exit 1; }

find_python() {
    local name
    for name in python3.11 python3; do
        if "$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    refuse "Scriptorium needs Python 3.11 (on Debian 12: apt install python3 python3-venv)."
}

make_venv() {
    local python
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        refuse "This Python cannot make virtual environments; first run: apt install python3.11-venv"
    "$python" -m venv --clear "$venv"
}

[ -w . ] || refuse "You cannot write in $PWD: clone Scriptorium into a folder of your own."
wanted=$(cat requirements*.txt deploy/constraints.txt | sha256sum)
stamp=$venv/installed-$requirements
if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    exit
fi

[ -e "$venv/installed-requirements.txt" ] || make_venv
rm -f "$venv"/installed-*
echo "Installing $requirements into $venv (some minutes the first time) ..."
SECONDS=0
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
    -r "$requirements" -c deploy/constraints.txt
conflicts=$("$venv/bin/python" -m pip check) || refuse "$conflicts"
echo "Installed in $SECONDS s."
# The requirements of tests hold those of the product.
for file in requirements.txt "$requirements"; do
    echo "$wanted" > "$venv/installed-$file"
done
