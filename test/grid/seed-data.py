"""What the grid holds, one dataset for each thing that can be the matter with one; seed.py says how to read it.
Every name here is a fact that a test may rely on."""
MC, USER = 'mc16_13TeV', 'user.jdoe'
_file = file


def file(name, size, scope=MC, **more):
    return _file(name, size, scope, **more)


scopes = {MC: 'root', USER: 'jdoe', 'data18_13TeV': 'root'}
DAOD = 'DAOD_PHYS.e3601_s3126_r10201_p5855'
SMALL, LARGE = f'{MC}.361107.Zmumu.{DAOD}_tid01', f'{MC}.361107.Zmumu.{DAOD}_tid02'
datasets = {
    (MC, SMALL): [file(f'DAOD_PHYS.01._{i:06d}.pool.root.1', size, place={**BOTH, 'POSIX1': 'good'})
                  for i, size in enumerate((3 * KB, 64 * KB + 1, MB, 5 * MB + 7, 20 * MB), 1)],
    (MC, LARGE): [file('DAOD_PHYS.02._000001.pool.root.1', 200 * MB), file('DAOD_PHYS.02._000002.pool.root.1', 40 * MB)],
    (MC, f'{MC}.000001.empty_tid03'): [],
    (MC, f'{MC}.000002.lost_tid04'): [
        file('lost.04._000001.root', 10 * KB),
        file('lost.04._000002.root', 20 * KB, place={'XRD1': 'unavailable'})],
    (MC, f'{MC}.000003.corrupt_tid05'): [
        file('corrupt.05._000001.root', 300 * KB, place={'XRD1': 'corrupt', 'XRD2': 'good'}),
        file('corrupt.05._000002.root', 300 * KB, place={'XRD1': 'truncated', 'XRD2': 'good'}),
        file('corrupt.05._000003.root', 300 * KB, place={'XRD1': 'absent', 'XRD2': 'good'})],
    (MC, f'{MC}.000004.onlybad_tid06'): [file('onlybad.06._000001.root', 100 * KB, place={'XRD2': 'corrupt'})],
    # DOWN1 is an RSE whose port nobody listens on
    (MC, f'{MC}.000005.deadhost_tid07'): [
        file('deadhost.07._000001.root', 50 * KB, place={'DOWN1': 'absent', 'XRD2': 'good'}),
        file('deadhost.07._000002.root', 50 * KB, place={'DOWN1': 'absent'})],
    (MC, f'{MC}.000006.posixonly_tid08'): [file('posixonly.08._000001.root', 50 * KB, place={'POSIX1': 'good'})],
    (MC, f'{MC}.000007.xrd1only_tid09'): [file(f'xrd1only.09._{i:06d}.root', 2 * MB, place={'XRD1': 'good'}) for i in (1, 2)],
    (USER, 'user.jdoe.odd.v1'): [
        file('user.jdoe.zero.txt', 0, USER, events=0),
        file('user.jdoe.adleronly.txt', 5 * KB, USER, checksums=('adler32',)),
        file('user.jdoe.md5only.txt', 5 * KB, USER, checksums=('md5',)),
        file('user.jdoe.nochecksum.txt', 5 * KB, USER, checksums=()),
        file('user.jdoe.lumi.root', 8 * KB, USER, events=1234, lumiblocknr=77, guid='0123456789abcdef0123456789abcdef')],
    (USER, 'user.jdoe.samename.v1'): [file('same.name.root', 6 * KB, USER), file('same.name.root', 7 * KB, MC)],
    (MC, f'{MC}.000008.thousand_tid10'): [file(f'thousand.10._{i:06d}.root', 100 + i, place={'XRD2': 'good'}) for i in range(1000)],
    # RSEs that are of no use (see seed.py), with a good one beside them or not
    (MC, f'{MC}.000010.tape_tid11'): [file('tape.11._000001.root', 30 * KB, place={'TAPE1': 'absent'}),
                                      file('tape.11._000002.root', 30 * KB, place={'TAPE1': 'absent', 'XRD1': 'good'})],
    (MC, f'{MC}.000011.trouble_tid12'): [
        file('trouble.12._000001.root', 40 * KB, place={'HANG1': 'absent', 'XRD2': 'good'}),
        *(file(f'trouble.12._{status:06d}.root', 40 * KB, place={f'ERR{status}': 'absent', 'XRD2': 'good'}) for status in (403, 404, 500))],
    (MC, f'{MC}.000012.hopeless_tid13'): [file('hopeless.13._000001.root', 40 * KB, place={'HANG1': 'absent'}),
                                          file('hopeless.13._000002.root', 40 * KB, place={'ERR403': 'absent', 'ERR500': 'absent'})],
    # its only way leads through a port where a test puts a proxy that limits, drops and counts
    (MC, f'{MC}.000013.slow_tid14'): [file('slow.14._000001.root', 200 * MB, place={'SLOW1': 'good'})],
    # what XRootD alone has: for anyone, for jdoe's proxy alone; and what comes by https or by XRootD through such proxies
    (MC, f'{MC}.000014.rootonly_tid15'): [file('rootonly.15._000001.root', 40 * MB, place={'ROOT2': 'good'}),
                                          file('rootonly.15._000002.root', 3 * KB, place={'ROOT2': 'good'})],
    (MC, f'{MC}.000015.rootproxy_tid16'): [file('rootproxy.16._000001.root', 2 * MB, place={'ROOT1': 'good'})],
    (MC, f'{MC}.000016.slowboth_tid17'): [file('slowboth.17._000001.root', 100 * MB, place={'SLOW1': 'good', 'SLOWROOT1': 'good'})],
    (MC, f'{MC}.000017.slowroot_tid18'): [file('slowroot.18._000001.root', 100 * MB, place={'SLOWROOT1': 'good'})],
    # names that some disk, or our own folder, cannot hold as they are
    (USER, 'user.jdoe.names.v1'): [file(name, 3 * KB, USER) for name in (
        'CON.root', 'trailing.dot.', 'Case.root', 'case.root', 'INCOMPLETE.txt', 'requests', 'user.jdoe.' + 'long' * 50)],
    # a name may hold slashes, and begin with one
    (USER, 'user.jdoe/with/slashes.v1'): [file('user.jdoe/sub/one.root', 5 * KB, USER), file('/user.jdoe/sub/two.root', 5 * KB, USER)],
}
if what == 'all':
    datasets[USER, 'user.jdoe.bench.1000x1MB'] = [file(f'bench.small.{i:04d}', MB, USER, place={'XRD2': 'good'}) for i in range(1000)]
    datasets[USER, 'user.jdoe.bench.1x1GB'] = [file('bench.large', 1 << 30, USER, place={'XRD2': 'good'})]
containers = {
    (MC, f'{MC}.361107.Zmumu.{DAOD}'): [(MC, SMALL), (MC, LARGE)],
    (MC, f'{MC}.000009.emptycontainer'): [],
    # Rucio refuses a container of both datasets and containers ("Mixed collection is not allowed")
    (MC, f'{MC}.361107.Zmumu.nested'): [(MC, f'{MC}.361107.Zmumu.{DAOD}'), (MC, f'{MC}.000009.emptycontainer')],
}
closed = [(MC, SMALL)]
metadata = {(MC, SMALL): {'datatype': 'DAOD_PHYS'}}
