# What the grid is made of: Debian packages and two Python environments. Sourced by up.sh; changes nothing that is there already.

packages=(xrootd-server xrootd-client xrootd-scitokens-plugins voms-clients python3-venv python3-gfal2
    gfal2-plugin-http gfal2-plugin-xrootd gfal2-plugin-file gcc libc6-dev curl openssl fetch-crl faketime)

missing_packages() {
    local have
    have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null | sed -n 's/^installed //p' || true)
    printf '%s\n' "${packages[@]}" | grep -vxFf <(printf '%s\n' "$have") || true
}

apt_install() { # An archive directory of its own: another apt's clean-up hook must not take our packages away half-way.
    local apt=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Dir::Cache::archives="$GRID_DIR/apt")
    mkdir -p "$GRID_DIR/apt/partial"
    "${apt[@]}" update && DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "${packages[@]}"
}

install_packages() {
    local missing
    missing=$(missing_packages | tr '\n' ' ')
    [ -n "${missing// /}" ] || return 0
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || fail "needs root and apt-get (Debian 12) to install: $missing" 3
    say 'installing Debian packages'
    apt_install >"$GRID_DIR/log/apt.log" 2>&1 || { sleep 5; apt_install >>"$GRID_DIR/log/apt.log" 2>&1; } || {
        tail -5 "$GRID_DIR/log/apt.log" >&2
        fail 'apt-get failed, see above' 3
    }
    rm -rf "$GRID_DIR/apt"
}

venv() { # NAME PACKAGE...
    local name=$GRID_VENVS/$1 log=$GRID_DIR/log/$1.log
    shift
    [ ! -e "$name/made" ] || return 0
    say "installing $*"
    rm -rf "$name"
    "$python" -m venv "$name" && "$name/bin/pip" install -q --disable-pip-version-check "$@" >"$log" 2>&1 || {
        tail -5 "$log" >&2
        fail "pip could not install $*" 3
    }
    ln -s /usr/lib/python3/dist-packages/gfal2.cpython-*.so "$name"/lib/python3*/site-packages/
    touch "$name/made"
}

install_python() {
    # Debian's own Python: its gfal2 module, which is not on the Python index, fits no other.
    python=${PYTHON:-/usr/bin/python3}
    "$python" -c 'import venv, ensurepip' 2>/dev/null || fail "needs $python with venv" 3
    # Two environments, for the wheels of server and client both own the package rucio/.
    venv venv-server "rucio==$RUCIO_VERSION" gunicorn
    venv venv-client "rucio-clients==$RUCIO_VERSION"
}
