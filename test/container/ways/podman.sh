# shellcheck shell=bash disable=SC2154 # fetches is of lib.sh
# podman.sh: container/podman.md with Podman of a plain user: build, run, and the Quadlet file under her own systemd.
unit=desktop-rucio.service

fetch() {
    check 'the bases are at hand under their public names' bases
    check 'podman build, as it stands on the page' built
    check 'its archive is what Apptainer takes' saved
}
bases() {
    mkdir -p ~/.config/containers
    local each
    for each in debian:debian:trixie-slim node:node:24-trixie-slim; do
        podman image exists "docker.io/library/${each#*:}" ||
            podman import -q --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ci/ca.crt' \
                --change 'ENV PIP_CERT=/etc/ci/ca.crt' --change 'CMD ["/bin/bash"]' "$BASES/${each%%:*}.tar" "docker.io/library/${each#*:}"
    done
}
built() {
    # The machine's name server, without Podman's own network: what RUN fetches comes by the same way as everything else here.
    page | grep -E "$fetches" >"$DIR/page.sh"
    (cd "$TOP" && BUILDAH_ISOLATION=chroot bash -euo pipefail -x "$DIR/page.sh" </dev/null)
    podman image inspect -f '{{.HealthCheck.Test}}' desktop-rucio | grep /app/healthcheck
    podman image inspect -f '  measured {{.Size}} bytes' desktop-rucio
}
saved() {
    podman save -q -o ~/desktop-rucio.tar desktop-rucio
}

run() {
    cp "$DIR/certs/"* ~/.globus/
    read -r -a ports <"$DIR/ports"
    # The practice grid is at localhost of this machine, and a container has a localhost of its own: pasta passes these two ports on.
    printf '[network]\npasta_options = ["-T", "%s,%s"]\n' "${ports[@]}" >~/.config/containers/containers.conf
    check 'a systemd of the user runs here' own_systemd
    check 'the page runs as it stands: a dataset arrives with the user'\''s own uid, and the Quadlet starts' arrives
    check 'the Quadlet gives what the page says: own uid, read-only, no capability, health' quadlet
    check 'killed, it is started again and goes on' again
    check 'its shell has rucio, xrdcp, voms-proxy-info and desktop-rucio at work' shell_works
    check 'the password comes as a secret that the daemon alone reads' secret
    check 'with a wrong configuration (code 2) it is not started again' wrong
    check 'it ends in time, with nothing left' stops
    echo "  measured on $(podman --version), $(pasta --version 2>&1 | head -1)"
}
arrives() {
    as_it_stands "$DIR/said"
    whole /big/disk/rucio user.jdoe.sample.v1
    said '"status":"local"'
    said 'jdoe'
    said 'ExecStart=/usr/bin/podman run'
    said 'Active: active (running)'
}
local_again() { curl -s "localhost:8000/ds?ds_name=$1" | grep '"status":"local"'; }
ask() { curl -s -X POST "localhost:8000/ds?ds_name=$1" | grep '"status":"\(downloading\|local\)"'; }
now() { systemctl --user show -P "$1" $unit; }
is() { [ "$(now "$1")" = "$2" ]; } # PROPERTY VALUE
quadlet() {
    podman wait --condition=healthy desktop-rucio
    [ "$(podman inspect -f '{{.HostConfig.ReadonlyRootfs}} {{len .EffectiveCaps}}' desktop-rucio)" = 'true 0' ]
    ask mc16_13TeV:mc16_13TeV.other
    until_true 30 local_again mc16_13TeV:mc16_13TeV.other
    whole /big/disk/rucio mc16_13TeV.other
}
again() {
    local before
    before=$(now MainPID)
    podman kill -s KILL desktop-rucio
    until_true 30 is NRestarts 1
    until_true 30 local_again user.jdoe:user.jdoe.sample.v1
    [ "$(now MainPID)" != "$before" ]
}
shell_works() {
    podman exec -i desktop-rucio /bin/bash -e <<'IN'
source ./setup.sh
rucio whoami | grep jdoe
xrdcp --version
voms-proxy-info --version
desktop-rucio list | grep user.jdoe.sample.v1
IN
}
secret() {
    printf 'never-to-be-seen\n' | podman secret create grid_password -
    sed -i 's/^# Secret=/Secret=/' ~/.config/containers/systemd/desktop-rucio.container
    systemctl --user daemon-reload
    systemctl --user restart $unit
    until_true 20 local_again user.jdoe:user.jdoe.sample.v1
    [ "$(podman exec desktop-rucio cat /run/secrets/grid_password)" = never-to-be-seen ]
    [ "$(podman exec desktop-rucio stat -c '%a %u' /run/secrets/grid_password)" = '400 1000' ]
    { podman inspect desktop-rucio; podman logs desktop-rucio; systemctl --user show $unit; } >"$DIR/seen" 2>&1
    never grep -a never-to-be-seen "$DIR/seen"
}
wrong() {
    systemctl --user stop $unit
    sed -i 's/^Environment=EXPERIMENT=.*/Environment=EXPERIMENT=opera/' ~/.config/containers/systemd/desktop-rucio.container
    systemctl --user daemon-reload
    systemctl --user start $unit || true
    until_true 20 is ActiveState failed
    sleep 7 # RestartSec is 5
    is ActiveState failed
    is ExecMainStatus 2
    sed -i 's/^Environment=EXPERIMENT=.*/Environment=EXPERIMENT=atlas/' ~/.config/containers/systemd/desktop-rucio.container
    systemctl --user daemon-reload
}
stops() {
    systemctl --user start $unit
    until_true 20 local_again user.jdoe:user.jdoe.sample.v1
    local began=$SECONDS
    systemctl --user stop $unit
    is Result success
    [ $((SECONDS - began)) -lt 10 ]
    [ -z "$(podman ps -aq)" ]
}
