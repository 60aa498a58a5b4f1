"""seed.py DIR SEED_FILE base|all: fills the grid of DIR: accounts, scopes, RSEs, files on disk, replicas, datasets and containers.
All goes through Rucio's own client, so that the catalogue holds what a catalogue can hold and nothing else.

SEED_FILE is Python and assigns, with the names KB, MB, BOTH and file() given to it and `what` (base or all):
  scopes      {scope: account}
  datasets    {(scope, name): [file(...), ...]}
  containers  {(scope, name): [(scope, name), ...]}, an inner one before the one around it
  closed, metadata   optional: [(scope, name), ...] and {(scope, name): {key: value}}
A file's place is a dict of RSE to the state of its bytes there: good, corrupt (a flipped byte, same size), truncated (half),
absent (in the catalogue only), unavailable (state U). The RSEs are below. seeded.json in DIR says what was made.
The bytes of a file come from its DID alone, so they are the same in every grid. Good copies are hard links to DIR/pool:
replace such a file, never edit it in place."""
import hashlib
import json
import os
import random
import runpy
import shutil
import sys
import time
import zlib
from pathlib import Path

from rucio.client import Client

grid, seed_file, what = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
port = {name: int(os.environ[f'GRID_{name}']) for name in ('RUCIO_PORT', 'XRD1_PORT', 'XRD1_HTTP', 'XRD2_PORT', 'XRD2_HTTP',
                                                         'ERROR_PORT', 'HANG_PORT', 'SLOW_PORT', 'SLOWROOT_PORT')}
roots = {'XRD1': grid / 'xrd1/data/rucio', 'XRD2': grid / 'xrd2/data/rucio', 'POSIX1': grid / 'posix1/rucio',
         # the same storage as XRD2, by ports where a test puts its own proxy; and both storages as sites that speak XRootD alone
         'SLOW1': grid / 'xrd2/data/rucio', 'SLOWROOT1': grid / 'xrd2/data/rucio',
         'ROOT1': grid / 'xrd1/data/rucio', 'ROOT2': grid / 'xrd2/data/rucio'}
KB, MB = 1 << 10, 1 << 20
BOTH = {'XRD1': 'good', 'XRD2': 'good'}

url = f'https://localhost:{port["RUCIO_PORT"]}'
client = Client(rucio_host=url, auth_host=url, account='root', auth_type='userpass',
                creds={'username': 'root', 'password': 'root-secret'}, ca_cert=str(grid / 'certs/ca.pem'))
started = time.time()


def say(text):
    print(f'      {time.time() - started:5.1f}s  {text}')


def file(name, size, scope, place=BOTH, checksums=('adler32', 'md5'), **meta):
    return {'scope': scope, 'name': name, 'size': size, 'place': place, 'checksums': checksums,
            'meta': meta or {'events': max(1, size // KB), 'guid': hashlib.md5(name.encode()).hexdigest()}}


def make(entry):
    """The file's good bytes, once, in pool/; returns its path and digests (kept beside it)."""
    path = grid / 'pool' / f'{hashlib.md5((entry["scope"] + ":" + entry["name"]).encode()).hexdigest()}.{entry["size"]}'
    digests = path.with_name(path.name + '.json')
    if not digests.exists():
        chance = random.Random(f'{entry["scope"]}:{entry["name"]}')
        block, left, n, adler, md5 = bytearray(chance.randbytes(min(MB, entry['size']))), entry['size'], 0, 1, hashlib.md5()
        with path.open('wb') as out:
            while left:
                block[:8] = (chance.getrandbits(64) ^ n).to_bytes(8, 'big')[:len(block[:8])]
                piece = bytes(block[:left])
                out.write(piece)
                adler, left, n = zlib.adler32(piece, adler), left - len(piece), n + 1
                md5.update(piece)
        path.chmod(0o644)
        digests.write_text(json.dumps({'bytes': entry['size'], 'adler32': f'{adler:08x}', 'md5': md5.hexdigest()}))
    return path, json.loads(digests.read_text())


def lfn2pfn(scope, name):
    """Rucio's deterministic 'hash' path."""
    h = hashlib.md5(f'{scope}:{name}'.encode()).hexdigest()
    return f'{scope.replace(".", "/") if scope.startswith(("user", "group")) else scope}/{h[:2]}/{h[2:4]}/{name}'


def store(source, target, state):
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if state == 'good':
        os.link(source, target)
    elif state in ('corrupt', 'truncated'):
        shutil.copyfile(source, target)
        with target.open('r+b') as out:
            if state == 'truncated':
                out.truncate(target.stat().st_size // 2)
            else:
                out.seek(target.stat().st_size // 2)
                byte = out.read(1)
                out.seek(-1, 1)
                out.write(bytes([byte[0] ^ 0xff]))


seed = runpy.run_path(seed_file, {'KB': KB, 'MB': MB, 'BOTH': BOTH, 'file': file, 'what': what})
datasets, containers = seed['datasets'], seed['containers']

client.add_account('jdoe', 'USER', 'jdoe@localhost')
client.add_identity('jdoe', 'jdoe', 'USERPASS', 'jdoe@localhost', default=True, password='jdoe-secret')
client.add_identity('jdoe', os.environ['GRID_DN'], 'X509', 'jdoe@localhost', default=True)
for scope, account in seed['scopes'].items():
    client.add_scope(account, scope)

wan = {'lan': {'read': 1, 'write': 1, 'delete': 1}, 'wan': {'read': 1, 'write': 1, 'delete': 1, 'third_party_copy_read': 0, 'third_party_copy_write': 0}}


def protocol(scheme, at, impl, prefix='/rucio/', priority=1):
    domains = json.loads(json.dumps(wan))
    for domain in domains.values():
        for key in ('read', 'write', 'delete'):
            domain[key] = priority
    return {'scheme': scheme, 'hostname': 'localhost', 'port': at, 'prefix': prefix, 'impl': f'rucio.rse.protocols.{impl}.Default', 'domains': domains}


rses = {
    'XRD1': [protocol('davs', port['XRD1_HTTP'], 'gfal', priority=1), protocol('root', port['XRD1_PORT'], 'xrootd', '//rucio/', priority=2)],
    'XRD2': [protocol('https', port['XRD2_HTTP'], 'webdav', priority=1), protocol('davs', port['XRD2_HTTP'], 'gfal', priority=2),
             protocol('root', port['XRD2_PORT'], 'xrootd', '//rucio/', priority=3)],
    'POSIX1': [protocol('file', 0, 'posix', str(roots['POSIX1']) + '/')],
    'DOWN1': [protocol('davs', 9, 'gfal')],   # nobody listens there
    'SLOW1': [protocol('davs', port['SLOW_PORT'], 'gfal')],
    **{name: [protocol('root', port[at], 'xrootd', '//rucio/')]
       for name, at in (('SLOWROOT1', 'SLOWROOT_PORT'), ('ROOT1', 'XRD1_PORT'), ('ROOT2', 'XRD2_PORT'))},
    'HANG1': [protocol('davs', port['HANG_PORT'], 'gfal')],   # these and what follows: server/faulty.py
    **{f'ERR{status}': [protocol('davs', port['ERROR_PORT'], 'gfal', f'/e{status}/')] for status in (403, 404, 500)},
    'TAPE1': [protocol('davs', port['XRD2_HTTP'], 'gfal', '/rucio/tape1/')],
}
for rse, protocols in rses.items():
    client.add_rse(rse, deterministic=True, rse_type='TAPE' if rse.startswith('TAPE') else 'DISK', availability_read=True)
    for entry in protocols:
        client.add_protocol(rse, entry)
    client.add_rse_attribute(rse, 'site', f'SITE-{rse}')
    if rse.startswith('TAPE'):
        client.add_rse_attribute(rse, 'istape', True)
    client.set_account_limit('jdoe', rse, 1 << 50, 'local')
say('accounts, scopes, RSEs')

(grid / 'pool').mkdir(exist_ok=True)
replicas = {}
for files in datasets.values():
    for entry in files:
        source, digests = make(entry)
        record = {'scope': entry['scope'], 'name': entry['name'], 'bytes': entry['size'], 'meta': entry['meta'],
                  **{key: digests[key] for key in entry['checksums']}}
        for rse, state in entry['place'].items():
            if rse in roots:
                store(source, roots[rse] / lfn2pfn(entry['scope'], entry['name']), state)
            replicas.setdefault(rse, {})[entry['scope'], entry['name']] = {**record, 'state': 'U' if state == 'unavailable' else 'A'}
for rse, records in replicas.items():
    rows = list(records.values())
    for i in range(0, len(rows), 500):
        client.add_replicas(rse, rows[i:i + 500])
say(f'{sum(map(len, replicas.values()))} replicas')

for (scope, name), files in datasets.items():
    client.add_dataset(scope, name)
    for i in range(0, len(files), 500):
        client.attach_dids(scope, name, [{'scope': f['scope'], 'name': f['name']} for f in files[i:i + 500]])
for (scope, name), children in containers.items():
    client.add_container(scope, name)
    if children:
        client.attach_dids(scope, name, [{'scope': s, 'name': n} for s, n in children])
for scope, name in seed.get('closed', ()):
    client.set_status(scope, name, open=False)
for (scope, name), values in seed.get('metadata', {}).items():
    for key, value in values.items():
        client.set_metadata(scope, name, key, value)
say(f'{len(datasets)} datasets, {len(containers)} containers')

# The paths above must be those that the server gives.
for (scope, name), files in datasets.items():
    for found in client.list_replicas([{'scope': scope, 'name': name}], schemes=['root'], all_states=True):
        for pfn, at in found['pfns'].items():
            place = next(f['place'] for f in files if (f['scope'], f['name']) == (found['scope'], found['name']))
            on_disk = roots[at['rse']] / pfn.split('//rucio/')[1]
            assert on_disk.exists() == (place[at['rse']] not in ('absent', 'unavailable')), (pfn, place)

(grid / 'seeded.json').write_text(json.dumps({
    'datasets': {f'{scope}:{name}': [{**{k: f[k] for k in ('scope', 'name', 'size', 'place', 'meta', 'checksums')}, **make(f)[1]} for f in files]
                 for (scope, name), files in datasets.items()},
    'containers': {f'{scope}:{name}': [f'{s}:{c}' for s, c in children] for (scope, name), children in containers.items()},
    'closed': [f'{s}:{n}' for s, n in seed.get('closed', ())]}, indent=1))
say('seeded.json written')
