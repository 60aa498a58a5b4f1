#!/usr/bin/env bash
# down.sh DIR: stops what up.sh DIR started, by its pid files. What lies in DIR stays, so that the next start takes a second.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
stop "${SERVICES[@]}"
