// What --help prints. Never reads anything.

export function usage(version: string): string {
  return `desktop-rucio ${version}: brings Rucio datasets to your own disk, and keeps them there, whole.

  desktop-rucio serve --data DIR [options]     run the daemon
  desktop-rucio add DID… --data DIR            ask for datasets (as curl -X POST …/ds does)
  desktop-rucio remove DID… --data DIR         make them go from the disk
  desktop-rucio list --data DIR                what is here, each with its state
  desktop-rucio login [options]                log in to Rucio; with auth_type oidc in a browser, once for the daemon
  desktop-rucio password --data DIR            give the daemon the password of the private key, typed or from a pipe
  desktop-rucio doctor --data DIR [options]    check all that a transfer needs; says what is wrong and what to do
  desktop-rucio verify FOLDER…                 read every byte of a dataset and compare it with its listing
  desktop-rucio --version | --help

Options of serve (each also as an environment variable: DESKTOP_RUCIO_DATA, DESKTOP_RUCIO_PORT, …):
  --data DIR           where the datasets lie; it must exist, and an empty one is taken at the first start
  --data-id ID         take only the data directory with this id (the first start prints it)
  --host ADDRESS       where to listen, may be given again; default 127.0.0.1 and ::1
  --port N             default 8000; 0 takes a free one
  --socket PATH        a Unix socket that its owner alone may open; then no port, unless --host is given too
  --allowed-host NAME  a host name under which clients may call, besides localhost and IP addresses (ALLOWED_HOSTS)
  --cache-prefix P     joined to each path of a filelist (CACHE_PREFIX)
  --rucio-config FILE  the official client's rucio.cfg (RUCIO_CONFIG, RUCIO_HOME/etc/rucio.cfg)
  --rucio-host URL     the Rucio server (RUCIO_CLIENT_RUCIO_HOST, rucio_host in rucio.cfg)
  --auth-host URL      its authentication server; default the Rucio server
  --account NAME       the Rucio account (RUCIO_ACCOUNT)
  --auth-type T        userpass, x509, x509_proxy, oidc, ssh or token (RUCIO_AUTH_TYPE)
  --cert-dir DIR       usercert.pem and userkey.pem: a proxy is made of them by voms-proxy-init, and kept good
  --ca-cert FILE       authorities to verify servers with; or X509_CERT_DIR with hashed *.0 files
  --client FILE        the official client (rucio), the last way to a file, where PATH has none

The proxy: GRID_VOMS names the VO (atlas, or atlas:/atlas/Role=production); GRID_PASSWORD_FILE a file with the password of the private
key (or GRID_PASSWORD; a daemon started in the front of a terminal asks for it, and ends with 1 after three wrong ones, with 130 after
Ctrl-C); GRID_PROXY_VALID its length, 24:00; GRID_KEY_COPY=1 for a share that shows the key with mode 0777. With X509_USER_PROXY set, the proxy is another's: it is used, and never replaced.
Authorities and revocation lists (*.r0 beside *.0) are renewed once a day by fetch-crl, or by CERT_UPDATE_COMMAND (a program and its
arguments, no shell); CERT_UPDATE=0 renews none. CRL_DIR is where lists go, if not beside the authorities; CRL_STRICT=1 takes no server
of an authority without a list that counts.
A password is never taken from the command line: it stands in rucio.cfg, or in RUCIO_CLIENT_PASSWORD.
With auth_type oidc, as the official client names them: oidc_scope, oidc_audience, oidc_issuer, oidc_polling, oidc_refresh_lifetime,
auth_oidc_refresh_active, auth_token_file_path (where the token is kept); with ssh: ssh_private_key. A trace of each file goes to
trace_host, else to the Rucio server; DESKTOP_RUCIO_TRACES=0 sends none.
Also read: RUCIO_VO (vo in rucio.cfg, of a server with several), X509_USER_PROXY, X509_CERT_DIR, BEARER_TOKEN, BEARER_TOKEN_FILE, WATCH_POLL=1 (mounts without file events),
DESKTOP_RUCIO_FILE_EVENTS=0 (none; what is written is found within 35 s), API_TOKEN_FILE or API_TOKEN (each request must then
show it as Authorization: Bearer TOKEN).

Examples:
  RUCIO_CONFIG=~/rucio.cfg desktop-rucio serve --data /big/disk/rucio
  curl -X POST 'http://localhost:8000/ds?ds_name=user.jdoe:user.jdoe.sample.v1'
  touch '/big/disk/rucio/watch/user.jdoe.sample.v1'
  curl -X POST 'http://localhost:8000/ds?ds_name=user.jdoe.sample.v1&destination=MY-SITE_DISK:/storage/rucio'
`
}
