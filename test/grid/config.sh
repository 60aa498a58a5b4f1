# The configuration files of the grid's services and of its users. Sourced by up.sh; starts nothing.

write_rucio_server() {
    local server=$GRID_VENVS/venv-server/bin
    cat >"$GRID_DIR/etc/alembic.ini" <<CFG
[alembic]
sqlalchemy.url = sqlite:///$GRID_DIR/db/rucio.db
script_location = $("$server/python" -c 'import rucio.db.sqla, os; print(os.path.dirname(rucio.db.sqla.__file__))')/migrate_repo
# Rucio's migration environment reads a logging configuration from this file: these sections must be there.
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARN
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(levelname)s %(message)s
CFG
    cat >"$GRID_DIR/etc/rucio-server.cfg" <<CFG
[common]
logdir = $GRID_DIR/log
loglevel = INFO
[database]
default = sqlite:///$GRID_DIR/db/rucio.db
[alembic]
cfg = $GRID_DIR/etc/alembic.ini
[policy]
permission = generic
schema = generic
support = nobody@localhost
[bootstrap]
userpass_identity = root
userpass_pwd = root-secret
userpass_email = root@localhost
x509_identity =
gss_identity =
ssh_identity =
# What else clients call. Traces are checked and written to log/trace; a broker that no IPv4 address belongs to is none.
[api]
endpoints_add = traces
[trace]
tracedir = $GRID_DIR/log
brokers = ::1
port = 9
topic = none
username = none
password = none
[oidc]
idpsecrets = $GRID_DIR/etc/idpsecrets.json
admin_issuer = grid
expected_audience = rucio
expected_scope = openid profile
CFG
    cat >"$GRID_DIR/etc/idpsecrets.json" <<JSON
{"grid": {"issuer": "http://localhost:$GRID_IDP_PORT/", "client_id": "rucio-grid", "client_secret": "idp-secret",
  "redirect_uris": ["https://localhost:$GRID_RUCIO_PORT/auth/oidc_code", "https://localhost:$GRID_RUCIO_PORT/auth/oidc_token"],
  "SCIM": {"client_id": "rucio-grid", "client_secret": "idp-secret", "grant_type": "client_credentials"}}}
JSON
}

write_storage() {
    local name root http
    printf '"%s" jdoe\n' "$GRID_DN" >"$GRID_DIR/etc/gridmap"
    printf 'u jdoe /rucio a\n' >"$GRID_DIR/etc/authdb"
    for name in 1 2; do
        root=GRID_XRD${name}_PORT http=GRID_XRD${name}_HTTP
        cat >"$GRID_DIR/etc/xrd$name.cfg" <<CFG
all.export /rucio
all.adminpath $GRID_DIR/xrd$name/admin
all.pidpath $GRID_DIR/xrd$name/run
oss.localroot $GRID_DIR/xrd$name/data
xrd.port ${!root}
xrd.tls $GRID_DIR/certs/xrdcert.pem $GRID_DIR/certs/xrdkey.pem
xrd.tlsca certdir $GRID_DIR/certs/certificates proxies
xrd.protocol http:${!http} libXrdHttp.so
http.cadir $GRID_DIR/certs/certificates
http.cert $GRID_DIR/certs/xrdcert.pem
http.key $GRID_DIR/certs/xrdkey.pem
http.listingdeny no
xrootd.chksum max 2 adler32 md5
CFG
    done
    # The first storage is as storages on the grid are: only a certificate that it knows may read.
    cat >>"$GRID_DIR/etc/xrd1.cfg" <<CFG
http.gridmap $GRID_DIR/etc/gridmap
xrootd.seclib libXrdSec.so
sec.protocol gsi -certdir:$GRID_DIR/certs/certificates -cert:$GRID_DIR/certs/xrdcert.pem -key:$GRID_DIR/certs/xrdkey.pem -gridmap:$GRID_DIR/etc/gridmap -gmapopt:1 -crl:0 -vomsat:0
ofs.authorize 1
acc.authdb $GRID_DIR/etc/authdb
CFG
}

write_clients() { # One file for each account and way to log in. The official client believes a token file whoever it was for, so each has its own.
    local account auth more file
    for file in rucio rucio-x509 rucio-root; do
        case $file in
            rucio) account=jdoe auth=userpass more= ;;
            rucio-x509) account=jdoe auth=x509_proxy more="client_x509_proxy = $GRID_DIR/certs/proxy.pem" ;;
            rucio-root) account=root auth=userpass more= ;;
        esac
        rm -f "$GRID_DIR/run/token-$file"
        cat >"$GRID_DIR/etc/$file.cfg" <<CFG
[client]
rucio_host = https://localhost:$GRID_RUCIO_PORT
auth_host = https://localhost:$GRID_RUCIO_PORT
ca_cert = $GRID_DIR/certs/ca.pem
auth_type = $auth
account = $account
username = $account
password = $account-secret
$more
request_retries = 3
auth_token_file_path = $GRID_DIR/run/token-$file
[policy]
permission = generic
schema = generic
CFG
    done
}

write_env() {
    cat >"$GRID_DIR/env.sh" <<ENV
# . this file to use the grid of $GRID_DIR
export GRID_DIR='$GRID_DIR' GRID_SRC='$GRID_SRC' GRID_VENVS='$GRID_VENVS'
export RUCIO_URL='https://localhost:$GRID_RUCIO_PORT'
# The official client's configuration with a password; etc/rucio-x509.cfg has the proxy instead.
export RUCIO_CONFIG="\$GRID_DIR/etc/rucio.cfg"
export RUCIO_ACCOUNT=jdoe RUCIO_USER=jdoe RUCIO_PASSWORD=jdoe-secret
export ROOT_USER=root ROOT_PASSWORD=root-secret
export X509_CERT_DIR="\$GRID_DIR/certs/certificates" CA_FILE="\$GRID_DIR/certs/ca.pem"
export USER_CERT="\$GRID_DIR/certs/usercert.pem" USER_KEY="\$GRID_DIR/certs/userkey.pem" USER_KEY_PASSWORD='$GRID_KEY_PASSWORD'
export USER_DN='$GRID_DN'
export X509_USER_PROXY="\$GRID_DIR/certs/proxy.pem"
# A certificate of the same CA, of somebody whom neither Rucio nor the storage knows.
export STRANGER_PROXY="\$GRID_DIR/certs/stranger-pair.pem"
export PATH="$GRID_VENVS/venv-client/bin:\$PATH"
$(env | grep -E '^GRID_[A-Z0-9]+_(PORT|HTTP)=' | sort | sed 's/^/export /')
ENV
}
