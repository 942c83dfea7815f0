#!/usr/bin/env bash
# browser.sh: Debian's windowless Chromium, for the tests that drive a browser; does nothing where there is one.
set -euo pipefail

refuse() { echo "$*" >&2; exit 1; }

if [ -x /usr/bin/chromium-headless-shell ]; then
    exit
fi
command -v apt-get >/dev/null || refuse "The tests drive Chromium: install it as /usr/bin/chromium-headless-shell."
root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || refuse "The tests drive Chromium; as root: apt install chromium-headless-shell"
    root=(sudo)
fi
echo "Installing Chromium (a minute the first time) ..."
"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 chromium-headless-shell >/dev/null
