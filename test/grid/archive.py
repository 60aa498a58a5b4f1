"""archive.py DIR MARK [davs|root]: puts a zip with three members on XRD2 of the running grid, registers them as Rucio knows archives, and a dataset
of the members, which lie nowhere by themselves. MARK makes the names of one run. The RSE ZIP2 is XRD2 by davs alone, since over root a
member is read without its archive; ZIPROOT2 is XRD2 by root alone. Prints JSON: the dataset's DID, and each member's name and md5."""
import hashlib
import json
import os
import random
import sys
import zipfile
import zlib
from pathlib import Path

from rucio.client import Client
from rucio.common.exception import Duplicate

grid, mark = Path(sys.argv[1]), sys.argv[2]
scheme = sys.argv[3] if len(sys.argv) > 3 else 'davs'
rse, port, prefix, impl = {'davs': ('ZIP2', 'GRID_XRD2_HTTP', '/rucio/', 'gfal'), 'root': ('ZIPROOT2', 'GRID_XRD2_PORT', '//rucio/', 'xrootd')}[scheme]
url = f'https://localhost:{os.environ["GRID_RUCIO_PORT"]}'
client = Client(rucio_host=url, auth_host=url, account='root', auth_type='userpass',
                creds={'username': 'root', 'password': 'root-secret'}, ca_cert=str(grid / 'certs/ca.pem'))
scope = 'user.jdoe'
domains = {name: {'read': 1, 'write': 1, 'delete': 1} for name in ('lan', 'wan')}
try:
    client.add_rse(rse, deterministic=True, rse_type='DISK', availability_read=True)
    client.add_protocol(rse, {'scheme': scheme, 'hostname': 'localhost', 'port': int(os.environ[port]), 'prefix': prefix,
                              'impl': f'rucio.rse.protocols.{impl}.Default', 'domains': domains})
    client.set_account_limit('root', rse, 1 << 50, 'local')
except Duplicate:
    pass  # of an earlier run


def sums(data):
    return {'bytes': len(data), 'adler32': f'{zlib.adler32(data):08x}', 'md5': hashlib.md5(data).hexdigest()}


archive = f'user.jdoe.{mark}.zip'
members = {f'user.jdoe.{mark}.{i}.root': random.Random(f'{mark}{i}').randbytes(size) for i, size in ((1, 3 << 20), (2, 12345), (3, 1 << 20))}
h = hashlib.md5(f'{scope}:{archive}'.encode()).hexdigest()
path = grid / 'xrd2/data/rucio/user/jdoe' / h[:2] / h[2:4] / archive
path.parent.mkdir(parents=True, exist_ok=True)
with zipfile.ZipFile(path, 'w') as out:
    for i, (name, data) in enumerate(members.items()):
        out.writestr(name, data, zipfile.ZIP_DEFLATED if i == 1 else zipfile.ZIP_STORED)
path.chmod(0o644)
client.add_replicas(rse, [{'scope': scope, 'name': archive, **sums(path.read_bytes())}])
client.add_files_to_archive(scope, archive, [{'scope': scope, 'name': name, **sums(data)} for name, data in members.items()])
dataset = f'user.jdoe.{mark}.members'
client.add_dataset(scope, dataset)
client.attach_dids(scope, dataset, [{'scope': scope, 'name': name} for name in members])
print(json.dumps({'did': f'{scope}:{dataset}', 'archive': archive, 'archive_bytes': path.stat().st_size,
                  'members': {name: hashlib.md5(data).hexdigest() for name, data in members.items()}}))
