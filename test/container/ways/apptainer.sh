# shellcheck shell=bash
# apptainer.sh: container/apptainer.md as a plain user of a cluster, whom the machine gives nothing but Apptainer.

run() {
    cp "$DIR/certs/"* ~/.globus/
    ln -sf "$BASES/desktop-rucio.tar" "$TOP/desktop-rucio.tar"
    # Without a bus it makes no cgroup for an instance. With one it asks who owns it, which logind alone could say.
    unset DBUS_SESSION_BUS_ADDRESS
    check 'the page runs as it stands: a dataset arrives, by a socket and with a token, with the user'\''s own uid' arrives
    check 'it ended as it was told, with nothing left but the datasets' clean
    check 'it warns when its port is open to others' warned
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
    cd "$TOP" || return
    export DESKTOP_RUCIO_PORT=0 RUCIO_ACCOUNT=jane EXPERIMENT=atlas
    apptainer instance run --bind "/scratch/jane/rucio:/data,$HOME/.globus:/certs" desktop-rucio.sif warned
    until_true 20 grep -rq 'every user of this machine can use this daemon' ~/.apptainer/instances/logs
    apptainer instance stop warned
    export API_TOKEN=0123456789abcdef
    apptainer instance run --bind "/scratch/jane/rucio:/data,$HOME/.globus:/certs" desktop-rucio.sif guarded
    until_true 20 grep -rq 'serves /data' ~/.apptainer/instances/logs/*/jane/guarded.out
    apptainer instance stop guarded
    never grep -rq 'every user of this machine' ~/.apptainer/instances/logs/*/jane/guarded.err
}
