"""register.py DIR: makes a dataset of one file, lays the file's bytes down, and gives it one replica at an RSE of its own. What, as JSON on
standard input: mark (makes the names of one run), folder (where bytes lie, below DIR), bytes, scheme, port, prefix. The PFN that Rucio makes of
them is printed with the rest as JSON: did, name, pfn, md5."""
import hashlib
import json
import os
import random
import sys
import zlib
from pathlib import Path

from rucio.client import Client

grid, asked = Path(sys.argv[1]), json.load(sys.stdin)
url = f'https://localhost:{os.environ["GRID_RUCIO_PORT"]}'
client = Client(rucio_host=url, auth_host=url, account='root', auth_type='userpass',
                creds={'username': 'root', 'password': 'root-secret'}, ca_cert=str(grid / 'certs/ca.pem'))
scope, mark = 'user.jdoe', asked['mark']
rse, name, dataset = f'RUN-{mark.upper()}', f'user.jdoe.{mark}.root', f'user.jdoe.{mark}'
domains = {each: {'read': 1, 'write': 1, 'delete': 1} for each in ('lan', 'wan')}
client.add_rse(rse, deterministic=True, rse_type='DISK', availability_read=True)
client.add_protocol(rse, {'scheme': asked['scheme'], 'hostname': 'localhost', 'port': asked['port'], 'prefix': asked['prefix'],
                          'impl': f'rucio.rse.protocols.{"xrootd" if asked["scheme"].startswith("root") else "gfal"}.Default', 'domains': domains})
client.set_account_limit('root', rse, 1 << 50, 'local')

h = hashlib.md5(f'{scope}:{name}'.encode()).hexdigest()
path = grid / asked['folder'] / 'user/jdoe' / h[:2] / h[2:4] / name
path.parent.mkdir(parents=True, exist_ok=True)
# Each MiB another, for bytes that are put at the wrong place must be seen.
block, adler, md5 = random.Random(mark).randbytes(1 << 20), 1, hashlib.md5()
with path.open('wb') as out:
    for at in range(0, asked['bytes'], len(block)):
        piece = (at.to_bytes(8, 'big') + block[8:])[:asked['bytes'] - at]
        out.write(piece)
        adler = zlib.adler32(piece, adler)
        md5.update(piece)
path.chmod(0o644)
client.add_replicas(rse, [{'scope': scope, 'name': name, 'bytes': asked['bytes'], 'adler32': f'{adler:08x}', 'md5': md5.hexdigest()}])
client.add_dataset(scope, dataset)
client.attach_dids(scope, dataset, [{'scope': scope, 'name': name}])
(found,) = client.list_replicas([{'scope': scope, 'name': name}])
print(json.dumps({'did': f'{scope}:{dataset}', 'name': name, 'pfn': found['rses'][rse][0], 'md5': md5.hexdigest()}))
