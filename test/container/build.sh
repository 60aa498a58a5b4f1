#!/usr/bin/env bash
# build.sh: the image, by the command of container/README.md as it stands there, in the fresh clone $CLONE; run.sh calls it.
set -euo pipefail
blocks=$(mktemp -d)
trap 'rm -rf "$blocks"' EXIT
number=$(node "$TOP/dist/test/container/pages.js" "$CLONE/container/README.md" "$blocks/of" | sed -n 's/\tBuilding it$//p')
[ "$(wc -w <<<"$number")" = 1 ] || { echo 'build.sh: container/README.md has not one block of commands under "Building it"' >&2; exit 1; }
# An engine of our own has no bridge that leads out: its builds take the machine's network.
if [ "$OWN_ENGINE" = yes ]; then
    docker=$(command -v docker)
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nif [ "$1" = build ]; then shift; exec %q build --network host "$@"; fi\nexec %q "$@"\n' "$docker" "$docker" >"$blocks/docker"
    chmod +x "$blocks/docker"
    export PATH=$blocks:$PATH
fi
began=$(date +%s%N)
(cd "$CLONE" && DOCKER_BUILDKIT=1 bash -eu "$blocks/of/$number") >"$WORK/build.log" 2>&1 || { tail -30 "$WORK/build.log" >&2; exit 1; }
docker tag desktop-rucio "$IMAGE:$VERSION"
echo "built in $((($(date +%s%N) - began) / 1000000)) ms: $(docker image inspect -f '{{.Size}}' "$IMAGE:$VERSION") bytes"
docker history --format '{{.Size}}	{{.CreatedBy}}' "$IMAGE:$VERSION" | grep -v '^0B' | cut -c1-80
