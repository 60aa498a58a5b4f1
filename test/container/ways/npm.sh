# shellcheck shell=bash disable=SC2154 # fetches is of lib.sh
# npm.sh: container/npm.md, and what the package holds.

fetch() {
    check 'npm pack and npm install -g, in an empty home' fetched
    check 'nothing was built where it was installed, and no package of development came along' not_built
    check 'the package is small, and holds no test, no key and no setting of a workplace' small
}
fetched() { (cd "$TOP" && page | grep -E "$fetches" >"$DIR/page.sh" && timeout 200 bash -euo pipefail -x "$DIR/page.sh" </dev/null); }
not_built() {
    local at=~/.local/lib/node_modules/desktop-rucio
    never test -e "$at/node_modules/typescript"
    never test -e "$at/node_modules/uvu"
    # What prepare does begins with taking dist away, and there is nothing here to build it anew.
    cmp "$TOP/dist/src/main.js" "$at/dist/src/main.js"
}
small() {
    local tar
    tar=$(echo "$TOP"/desktop-rucio-*.tgz)
    tar -tzf "$tar" >"$DIR/files"
    echo "  measured $(stat -c %s "$tar") bytes packed, $(wc -l <"$DIR/files") files, $(du -sk ~/.local | cut -f1) KiB installed with its packages"
    [ "$(stat -c %s "$tar")" -lt 1000000 ]
    never grep -E '/test/|\.(pem|p12|env|tsbuildinfo)$|node_modules|\.ci/' "$DIR/files"
    for file in bin/desktop-rucio dist/src/main.js LICENSE README.md container/npm.md container/desktop-rucio.service src/disk/FORMAT.md; do
        grep -qx "package/$file" "$DIR/files"
    done
}
run() {
    own_cfg ~/.globus/practice-ca.pem >~/.rucio.cfg
    cp "$DIR/certs/practice-ca.pem" ~/.globus/
    check 'the page runs as it stands, and a dataset arrives' arrives
    check 'it ended by its signal, and has left nothing beside the data directory and npm'\''s own' clean
}
arrives() {
    as_it_stands "$DIR/said"
    whole /big/disk/rucio user.jdoe.sample.v1
    said '"status":"local"'
}
clean() {
    never pgrep -x node
    [ -z "$(ls /big/disk/rucio/.rucio/lock)" ]
    find ~ -maxdepth 1 -mindepth 1 -newer "$DIR/ports" | grep -vE '/(\.rucio\.cfg|\.globus|\.local|\.npm|\.cache|desktop-rucio)$' >"$DIR/left" || true
    [ ! -s "$DIR/left" ] || { cat "$DIR/left"; false; }
}
