#!/usr/bin/env bash
# build.sh: the image, by the command of container/README.md as it stands there, in the fresh clone $CLONE; run.sh calls it.
# MEASURE=1 builds it twice more with nothing cached, and compares the two layer by layer.
set -euo pipefail
blocks=$(mktemp -d)
trap 'rm -rf "$blocks"' EXIT
number=$(node "$TOP/dist/test/container/pages.js" "$CLONE/container/README.md" "$blocks/of" | sed -n 's/\tBuilding it$//p')
[ "$(wc -w <<<"$number")" = 1 ] || { echo 'build.sh: container/README.md has not one block of commands under "Building it"' >&2; exit 1; }
# An engine of our own has no bridge that leads out: its builds take the machine's network.
more=()
[ "$OWN_ENGINE" = no ] || more=(--network host)
docker=$(command -v docker)
cat >"$blocks/docker" <<IN
#!/bin/sh
if [ "\$1" = build ]; then shift; exec $docker build ${more[*]} \$BUILD_MORE "\$@"; fi
exec $docker "\$@"
IN
chmod +x "$blocks/docker"
build() { # [OPTION]
    local began
    began=$(date +%s%N)
    (cd "$CLONE" && PATH=$blocks:$PATH DOCKER_BUILDKIT=1 BUILD_MORE=${1:-} bash -eu "$blocks/of/$number") >"$WORK/build.log" 2>&1 ||
        { tail -30 "$WORK/build.log" >&2; exit 1; }
    echo "built${1:+ with $1} in $((($(date +%s%N) - began) / 1000000)) ms: $(docker image inspect -f '{{.Size}}' desktop-rucio) bytes"
}
layers() { docker image inspect -f '{{range .RootFS.Layers}}{{println .}}{{end}}' desktop-rucio | grep .; }
if [ -n "${MEASURE:-}" ]; then
    build --no-cache
    layers >"$blocks/first"
    build --no-cache
    layers >"$blocks/second"
    paste "$blocks/first" "$blocks/second" | awk '{ print ($1 == $2 ? "same layer   " : "other layer  ") $1; if ($1 != $2) differ++ } END { print differ + 0 " of " NR " layers differ between two builds" }'
fi
build
docker tag desktop-rucio "$IMAGE:$VERSION"
docker history --format '{{.Size}}	{{.CreatedBy}}' "$IMAGE:$VERSION" | grep -v '^0B' | cut -c1-80
