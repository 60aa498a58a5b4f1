# shellcheck shell=bash
# systemd.sh: container/systemd.md, and what the unit promises: who is started again, who is not, and where the password is.
unit=desktop-rucio.service

run() {
    own_cfg ~/.globus/practice-ca.pem >~/.rucio.cfg
    cp "$DIR/certs/practice-ca.pem" ~/.globus/
    check 'a systemd of the user runs here' own_systemd
    check 'the page runs as it stands, and a dataset arrives' arrives
    check 'killed, it is started again, and all is still there' again
    check 'with a wrong configuration (code 2) it is not started again' wrong
    check 'taken over by another daemon (code 75) it is not started again' taken_over
    check 'the password comes as a credential, of mode 0400, and is in no environment, unit or log' password
    echo "  measured on $(systemctl --version | head -1)"
}
arrives() {
    as_it_stands "$DIR/said"
    whole /big/disk/rucio user.jdoe.sample.v1
    said '"status":"local"'
    said 'Active: active (running)'
    never systemctl --user is-enabled $unit
}
now() { systemctl --user show -P "$1" $unit; }
is() { [ "$(now "$1")" = "$2" ]; } # PROPERTY VALUE
local_again() { curl -s 'localhost:8000/ds?ds_name=user.jdoe:user.jdoe.sample.v1' | grep '"status":"local"'; }
again() {
    local pid
    systemctl --user start $unit
    until_true 10 local_again
    pid=$(now MainPID)
    kill -KILL "$pid"
    until_true 20 is NRestarts 1
    until_true 20 local_again
    [ "$(now MainPID)" != "$pid" ]
    systemctl --user stop $unit
    is Result success
    is ExecMainStatus 0
}
drop_in() { # LINE...
    mkdir -p ~/.config/systemd/user/$unit.d
    printf '%s\n' '[Service]' "$@" >~/.config/systemd/user/$unit.d/test.conf
    systemctl --user daemon-reload
    systemctl --user reset-failed $unit 2>/dev/null || true
}
ended_for_good() { # CODE
    until_true 20 is ActiveState failed
    is ExecMainStatus "$1"
    sleep 7 # RestartSec is 5
    is ActiveState failed
    is NRestarts 0
}
wrong() {
    mkdir -p /big/disk/rucio/mine/deeper
    touch /big/disk/rucio/mine/thesis.tex
    drop_in 'Environment=DESKTOP_RUCIO_DATA=/big/disk/rucio/mine'
    systemctl --user start $unit || true
    ended_for_good 2
    rm -r /big/disk/rucio/mine
}
taken_over() {
    drop_in
    systemctl --user start $unit
    until_true 10 local_again
    sed -i 's/"boot_id": *"[^"]*"/"boot_id": "another"/' /big/disk/rucio/.rucio/owner.json
    # Something to do, so that it looks.
    curl -s -X POST 'localhost:8000/ds?ds_name=mc16_13TeV:mc16_13TeV.other' || true
    ended_for_good 75
}
password() {
    printf 'never-to-be-seen\n' >~/.grid-password
    chmod 600 ~/.grid-password
    # The lines of the unit that are commented out.
    grep -E '^# (LoadCredential|Environment=GRID_PASSWORD_FILE)=' ~/.config/systemd/user/$unit | sed 's/^# //' >"$DIR/lines"
    [ "$(wc -l <"$DIR/lines")" = 2 ]
    mapfile -t lines <"$DIR/lines"
    drop_in "${lines[@]}"
    rm -f /big/disk/rucio/.rucio/owner.json
    systemctl --user start $unit
    until_true 20 local_again
    local pid path
    pid=$(now MainPID)
    path=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^GRID_PASSWORD_FILE=//p')
    [ "$(cat "$path")" = never-to-be-seen ]
    [ "$(stat -c %a "$path")" = 400 ]
    { systemctl --user show $unit; systemctl --user cat $unit; cat "/proc/$pid/environ" "/proc/$pid/cmdline"; cat /big/disk/rucio/.rucio/logs/*; } >"$DIR/seen"
    never grep -a never-to-be-seen "$DIR/seen"
    systemctl --user stop $unit
    never test -e "$path"
}
