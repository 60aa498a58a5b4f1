# shellcheck shell=bash
# source ./setup.sh: a shell in which rucio, xrdcp, voms-proxy-info and desktop-rucio work with the daemon's own proxy and configuration.
_run=${DESKTOP_RUCIO_RUN:-/tmp/desktop-rucio-run-$(id -u)}
if [ -O "$_run/env" ]; then
    # shellcheck disable=SC1091
    . "$_run/env"
else
    # No daemon has been started here (docker run --entrypoint /bin/bash).
    # shellcheck source=container/prepare.sh
    . /app/prepare.sh
    prepare || true
fi
if [ -r "${DESKTOP_RUCIO_OWN_PROXY:-}" ]; then
    export X509_USER_PROXY=$DESKTOP_RUCIO_OWN_PROXY
else
    echo "no proxy has been made yet: curl localhost:${DESKTOP_RUCIO_PORT:-8000}/status says why, below grid_cert" >&2
fi
export PATH=/opt/rucio/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PS1='desktop-rucio:\w\$ '
unset _run
