# shellcheck shell=bash disable=SC2016,SC2154
# The files as they are written: linters, and the schema of compose. Sourced by checks.sh; needs no image. The tools are those of tools.sh.

part_scripts() {
    check 'shellcheck finds nothing in the scripts' no_fault_in_scripts
    check 'hadolint finds nothing in the Dockerfile' no_fault_in_dockerfile
    check 'compose.yaml keeps to the schema of compose' compose_schema
    check 'compose takes its file, and says what is not set' compose_file
    check 'each linter finds what was broken for it' linters_bite
}
scripts() { (cd "$TOP" && ls container/{start.sh,entrypoint,healthcheck,prepare.sh,setup.sh,update-certificates} test/container/*.sh test/container/{parts,ways}/*.sh); }
no_fault_in_scripts() { (cd "$TOP" && scripts | xargs shellcheck -x); }
no_fault_in_dockerfile() { hadolint "$TOP/container/Dockerfile"; }
compose_schema() { check-jsonschema --builtin-schema vendor.compose-spec "$TOP/container/compose.yaml"; }
compose_file() {
    DATA=$dir/certs CERTS=$dir/certs docker compose -f "$TOP/container/compose.yaml" config -q
    never docker compose -f "$TOP/container/compose.yaml" config -q 2>"$dir/said"
    grep -q 'set DATA to the directory' "$dir/said"
}
# A tool that passes everything would be no check.
linters_bite() {
    mkdir -p "$dir/broken"
    printf '#!/bin/sh\nrm -rf $1/*\n' >"$dir/broken/script.sh"
    never shellcheck "$dir/broken/script.sh"
    printf 'FROM debian:latest\nRUN cd /tmp && apt-get install -y curl\n' >"$dir/broken/Dockerfile"
    never hadolint "$dir/broken/Dockerfile"
    sed 's/read_only: true/read_onyl: true/' "$TOP/container/compose.yaml" >"$dir/broken/compose.yaml"
    never check-jsonschema --builtin-schema vendor.compose-spec "$dir/broken/compose.yaml"
}
