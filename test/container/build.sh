#!/usr/bin/env bash
# build.sh: the image of this checkout, of the bases that BASE and NODE_IMAGE name; run.sh calls it.
set -euo pipefail
cd "$TOP"
began=$SECONDS
DOCKER_BUILDKIT=1 docker build --network host --progress=plain -q -f container/Dockerfile -t "$IMAGE:$VERSION" \
    --build-arg BASE="$BASE" --build-arg NODE_IMAGE="$NODE_IMAGE" . >/dev/null
echo "built in $((SECONDS - began)) s: $(docker image inspect -f '{{.Size}}' "$IMAGE:$VERSION") bytes"
docker history --format '{{.Size}}	{{.CreatedBy}}' "$IMAGE:$VERSION" | grep -v '^0B' | cut -c1-80
