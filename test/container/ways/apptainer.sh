# shellcheck shell=bash
# apptainer.sh: container/apptainer.md as a plain user of a cluster, whom the machine gives nothing but Apptainer.

run() {
    cp "$DIR/certs/"* ~/.globus/
    ln -sf "$BASES/desktop-rucio.tar" "$TOP/desktop-rucio.tar"
    check 'a systemd of the user runs here' own_systemd # it makes the instance's cgroup
    check 'the page runs as it stands: a dataset arrives, by a socket and with a token, with the user'\''s own uid' arrives
    check 'it ended as it was told, with nothing left but the datasets' clean
    check 'others are warned of: it says so when a port is open to them' warned
    echo "  measured on $(apptainer --version), $(stat -c %s "$TOP/desktop-rucio.sif") bytes"
}
arrives() {
    as_it_stands "$DIR/said"
    whole /scratch/jane/rucio user.jdoe.sample.v1
    said '"status":"local"'
    said 'jdoe'
}
clean() {
    never pgrep -f dist/src/main.js
    never test -e "$XDG_RUNTIME_DIR/desktop-rucio.sock"
    never apptainer instance stop rucio
}
warned() {
    [ -n "$OTHER" ] # a process of another user, whom jane.sh has let in
    cd "$TOP"
    export DESKTOP_RUCIO_PORT=0 RUCIO_ACCOUNT=jane EXPERIMENT=atlas
    apptainer instance run --bind "/scratch/jane/rucio:/data,$HOME/.globus:/certs" desktop-rucio.sif warned
    until_true 20 grep -rq 'another user is at work on this machine' ~/.apptainer/instances/logs
    apptainer instance stop warned
}
