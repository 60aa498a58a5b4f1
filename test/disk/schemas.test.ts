import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readAuthoritiesState } from '../../src/words/authorities.ts'
import { defaultConfig, parseConfig } from '../../src/words/config.ts'
import { readListingHead, readListingLine } from '../../src/words/listing.ts'
import { isComponent, readFullDid } from '../../src/words/names.ts'
import { readFormat, readHostRecord, readOwner } from '../../src/words/owner.ts'
import { pieceBytes, readSidecar } from '../../src/words/part.ts'
import { clean, reasons, Trouble } from '../../src/words/reason.ts'
import { parseRequest, plainRequest } from '../../src/words/request.ts'
import { readPlaceLine, readPlacesHead, readRuleRecord, ruleStates, ruleSteps } from '../../src/words/rule.ts'
import { readRulesLeft } from '../../src/words/rulesLeft.ts'
import { readGridCert } from '../../src/words/status.ts'
import { isAdler32, isBytes, isMd5, isTotal } from '../../src/words/text.ts'
import { readComplete, readVerifiedHead, readVerifiedLine } from '../../src/words/verified.ts'
import { hostileName } from '../help/hostile.ts'
import { schemaOf } from '../help/records.ts'
import { complaintsOf, keysOf, load } from '../help/schema.ts'

const test = suite('schemas')

const time = fc
  .date({ noInvalidDate: true, min: new Date(0), max: new Date('2400-01-01') })
  .map(at => at.toISOString())
const did = fc.constantFrom(
  'mc16_13TeV:DAOD._000001.root',
  'user.jdoe:user.jdoe.x',
  'cms:/store/mc/x#1',
  's:CON',
)
const path = fc.constantFrom('DAOD._000001.root', 'a=2Fb', '=2Ex', `${'a'.repeat(160)}~0123456789abcdef`)
const bytes = fc.oneof(fc.constantFrom(0, 1, 2 ** 44), fc.nat())
const total = fc.oneof(fc.constantFrom(0, Number.MAX_SAFE_INTEGER), fc.nat())
const hex = (digits: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits })
const text = fc.string({ maxLength: 30 })
const orNull = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null })
const format = fc.constant(1 as const)
const failure = fc.record({
  reason: fc.constantFrom(...reasons),
  message: fc.constant('It stalled.'),
  at: time,
})
const range = fc
  .record({
    piece: fc.nat(9),
    start: fc.nat(pieceBytes - 2),
    length: fc.integer({ min: 1, max: pieceBytes }),
  })
  .map(({ piece, start, length }) => {
    const from = piece * pieceBytes + start
    return { from, to: Math.min(from + length, (piece + 1) * pieceBytes) }
  })

const rse = fc.constantFrom('CERN-PROD_DATADISK', 'X', 'x.y')
const mount = fc.constantFrom('/', '/mnt/..x', '/a/b c')
const destination = fc.record(
  { rse, mount, lifetime_days: fc.integer({ min: 1, max: 3650 }) },
  { requiredKeys: ['rse'] },
)

type Kind = {
  readonly good: fc.Arbitrary<object>
  /** undefined = it is not taken */
  readonly read: (json: unknown) => object | undefined
}

const orNone = <T extends object>(read: T | Trouble): T | undefined =>
  read instanceof Trouble ? undefined : read

const kinds: Readonly<Record<string, Kind>> = {
  request: {
    good: fc.record(
      {
        format,
        did,
        priority: fc.double({ noNaN: true, noDefaultInfinity: true }).map(each => each + 0),
        paused: fc.boolean(),
        remove: fc.boolean(),
        repair: fc.boolean(),
        destination: orNull(destination),
        created: time,
      },
      { requiredKeys: [] },
    ),
    read(json) {
      const request = orNone(parseRequest(JSON.stringify(json)))
      // The loop takes no other `did`; it says so in a .problem.
      return request?.did === undefined || readFullDid(request.did) !== undefined ? request : undefined
    },
  },
  config: {
    good: fc.record(
      {
        format,
        files_at_once: fc.integer({ min: 1, max: 64 }),
        datasets_at_once: fc.integer({ min: 1, max: 64 }),
        connections_per_file: fc.integer({ min: 1, max: 16 }),
        reserve_bytes: fc.integer({ min: 0, max: 2 ** 50 }),
        plain_data: fc.boolean(),
        destination,
      },
      { requiredKeys: [] },
    ),
    read: json => orNone(parseConfig(JSON.stringify(json))),
  },
  'listing.head': {
    good: fc.record({
      format,
      did,
      type: fc.constantFrom('DATASET', 'CONTAINER', 'FILE'),
      open: fc.boolean(),
      length: total,
      bytes: total,
      fetched: time,
    }),
    read: readListingHead,
  },
  'missing.head': {
    good: fc.record({ format, did, type: fc.constant('NONE'), fetched: time, until: time, tries: total }),
    read: readListingHead,
  },
  'listing.line': {
    good: fc.record(
      { did, path, bytes, adler32: hex(8), md5: hex(32), guid: text, events: total },
      { requiredKeys: ['did', 'path', 'bytes'] },
    ),
    read: readListingLine,
  },
  sidecar: {
    good: fc.record({
      format,
      did,
      bytes: fc.constant(10 * pieceBytes),
      ranges: fc
        .uniqueArray(range, { selector: each => Math.floor(each.from / pieceBytes), maxLength: 4 })
        .chain(all =>
          fc.tuple(
            ...all
              .sort((a, b) => a.from - b.from)
              .map(each =>
                fc
                  .record({ adler32: hex(8), rse: text }, { requiredKeys: ['adler32'] })
                  .map(more => ({ ...each, ...more })),
              ),
          ),
        ),
      source: orNull(fc.record({ rse: text, host: text })),
      tries: total,
      next_try: orNull(time),
      error: orNull(failure),
      strikes: fc.array(fc.record({ rse: text, count: total, at: time }), { maxLength: 3 }),
    }),
    read: readSidecar,
  },
  'verified.head': { good: fc.record({ format, id: hex(16) }), read: readVerifiedHead },
  'verified.line': {
    good: fc.record(
      { path, bytes, adler32: hex(8), md5: hex(32), unchecked: fc.constant(true), mtime: time, at: time },
      { requiredKeys: ['path', 'bytes', 'adler32', 'mtime', 'at'] },
    ),
    read: readVerifiedLine,
  },
  complete: { good: fc.record({ format, files: total, bytes: total, at: time }), read: readComplete },
  format: {
    good: fc.record({ format, id: hex(16), scope_rule: fc.constant('default') }),
    read: readFormat,
  },
  owner: {
    good: fc.record({ format, boot_id: hex(16), host: text, pid: total, url: orNull(text), started: time }),
    read: readOwner,
  },
  host: {
    good: fc.record({ format, host: text, failures: total, rest_until: orNull(time), rate: orNull(total) }),
    read: readHostRecord,
  },
  rule: {
    good: fc.record({
      format,
      did,
      rse,
      mount: orNull(mount),
      lifetime_days: fc.integer({ min: 1, max: 3650 }),
      account: orNull(text),
      id: orNull(hex(32)),
      ours: fc.boolean(),
      state: orNull(fc.constantFrom(...ruleStates)),
      locks: fc.record({ ok: total, replicating: total, stuck: total }),
      error: orNull(fc.constantFrom('MissingSourceReplica', 'it broke')),
      expires_at: orNull(time),
      renewed_at: orNull(time),
      renewal_refused_at: orNull(time),
      looked_at: orNull(time),
      changed_at: orNull(time),
      failed_step: orNull(fc.constantFrom(...ruleSteps)),
      tries: total,
      next_try: orNull(time),
      failure: orNull(failure),
    }),
    read: readRuleRecord,
  },
  'places.head': {
    good: fc.record({ format, did, rse, mount, fetched: time, length: total }),
    read: readPlacesHead,
  },
  'places.line': {
    good: fc.record({ path, bytes, place: fc.constantFrom('a', 'mc16/b0/bf/x.root', '..a/b..') }),
    read: readPlaceLine,
  },
  grid_cert: {
    good: fc.record({
      format,
      is_good: fc.boolean(),
      identity: orNull(text),
      proxy_ends: orNull(time),
      certificate_ends: orNull(time),
      token_ends: orNull(time),
      error: orNull(text),
    }),
    read: readGridCert,
  },
  rules_left: {
    good: fc.record({
      format,
      rules: fc.array(
        fc.record({
          did,
          id: hex(32),
          rse,
          account: text.map(each => clean(each, 60)),
          ends: orNull(time),
          refused: time,
          message: fc.constant('It stays.'),
        }),
        { maxLength: 3 },
      ),
    }),
    read: readRulesLeft,
  },
  authorities: {
    good: fc.record({
      format,
      valid: total,
      expired: total,
      broken: total,
      crl: orNull(fc.record({ fresh: total, stale: total, missing: total })),
      warnings: fc.array(text),
      update: fc.record({
        by: orNull(text),
        running: fc.boolean(),
        ended: orNull(time),
        next: orNull(time),
        error: orNull(text),
      }),
    }),
    read: readAuthoritiesState,
  },
}

const odd = fc.oneof(
  fc.constantFrom<unknown[]>(
    undefined,
    null,
    true,
    '',
    'x',
    '0',
    -1,
    0,
    0.5,
    1,
    1e300,
    [],
    {},
    [{}],
    '2026-03-01',
  ),
  fc.anything({ maxDepth: 1 }),
)

for (const [name, { good, read }] of Object.entries(kinds)) {
  const schema = schemaOf(name)

  test(`${name}: what the daemon writes fits the schema, and is read without losing a key of it`, () => {
    fc.assert(
      fc.property(good.map(asJson), record => {
        assert.equal(complaintsOf(schema, record), [])
        const taken = read(record) as Record<string, unknown> | undefined
        assert.ok(taken !== undefined)
        for (const [key, value] of Object.entries(record))
          if (key !== 'format') assert.equal(taken[key], value, key)
      }),
    )
  })

  test(`${name}: the schema takes nothing that is refused, and whatever is read fits it`, () => {
    const key = fc.constantFrom(...keysOf(schema), 'more')
    fc.assert(
      fc.property(good, fc.array(fc.tuple(key, odd), { minLength: 1, maxLength: 2 }), (record, changes) => {
        const json = asJson({ ...record, ...Object.fromEntries(changes) })
        const taken = read(json)
        // The order of the ranges, and the borders of pieces, are more than a schema can say.
        if (name !== 'sidecar' && complaintsOf(schema, json).length === 0) assert.ok(taken !== undefined)
        if (taken !== undefined)
          assert.equal(
            complaintsOf(schema, { ...asJson(taken), format: formatOf(name) }, { times: false }),
            [],
          )
      }),
      { numRuns: 200 },
    )
  })
}

test('the words of the schemas are those of the parsers', () => {
  const part = (name: string) => (value: unknown) =>
    complaintsOf(schemaOf('listing.line'), { ...line, [name]: value })
  const line = { did: 's:a', path: 'a', bytes: 0 }
  const dids = fc.oneof(hostileName, fc.string({ unit: fc.constantFrom(...':/.*?\\~ab='), maxLength: 8 }))
  const long = fc
    .tuple(fc.nat(27), fc.nat(252))
    .map(([scope, name]) => `${'s'.repeat(scope)}:${'n'.repeat(name)}`)
  const isTaken: readonly [string, fc.Arbitrary<unknown>, (value: unknown) => boolean][] = [
    ['did', fc.oneof(dids, long), value => readFullDid(value) !== undefined],
    [
      'path',
      fc.oneof(
        hostileName,
        fc.string({ maxLength: 4 }),
        fc.nat(220).map(each => 'a'.repeat(each)),
      ),
      isComponent,
    ],
    ['bytes', odd, isBytes],
    ['events', odd, isTotal],
    ['adler32', fc.oneof(odd, hex(7), hex(8), hex(9)), isAdler32],
    ['md5', fc.oneof(odd, hex(31), hex(32)), isMd5],
  ]
  for (const [name, values, isGood] of isTaken)
    fc.assert(
      fc.property(values, value => {
        if (value === undefined) return
        assert.is(part(name)(value).length === 0, isGood(value), `${name} ${JSON.stringify(value)}`)
      }),
      { numRuns: 1000 },
    )
  const { reason } = load(schemaOf('words'))['$defs'] as { reason: { enum: unknown } }
  assert.equal(reason.enum, reasons)
})

test('defaults are those of the code', () => {
  assert.equal(defaultsOf('config'), defaultConfig)
  assert.equal(defaultsOf('request'), plainRequest)
})

test('every schema is held by a test here', () => {
  const all = readdirSync(dirname(schemaOf('words'))).sort()
  // `queued` has one reader, which takes its DID alone; words holds no record.
  assert.equal(all, [...Object.keys(kinds), 'queued', 'words'].map(each => `${each}.json`).sort())
  for (const name of all)
    assert.is(
      load(join(dirname(schemaOf('words')), name))['$schema'],
      'https://json-schema.org/draft/2020-12/schema',
    )
})

/** Lines, and the user's own records, carry none. */
function formatOf(name: string): 1 | undefined {
  return name.endsWith('.line') ? undefined : 1
}

function asJson(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object
}

function defaultsOf(name: string): object {
  const properties = load(schemaOf(name))['properties'] as Record<string, { default?: unknown }>
  return Object.fromEntries(
    Object.entries(properties).flatMap(([key, each]) =>
      each.default === undefined ? [] : [[key, each.default]],
    ),
  )
}

test.run()
