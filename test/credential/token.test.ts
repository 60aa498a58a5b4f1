import { chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findToken } from '../../src/credential/token.ts'
import { Trouble } from '../../src/words/reason.ts'
import { sweep, temporary } from '../help/data.ts'

const test = suite('bearer token')
test.after(sweep)

// Of nobody: what lies in /tmp for him is ours.
const uid = 1_987_654_321
const isRoot = process.geteuid?.() === 0

async function found(
  env: Record<string, string>,
  as: number | undefined = process.geteuid?.(),
): Promise<string> {
  const token = await findToken(env, as)
  if (token === undefined) return 'none'
  return token instanceof Trouble ? token.detail : `${token.text}${token.configured ? '' : ', found'}`
}

test('the first of the four places that is not empty counts', async () => {
  const [dir, tmp] = [await temporary(), `/tmp/bt_u${uid}`]
  const file = join(dir, 'named')
  await writeFile(file, ' in-file \n')
  await writeFile(join(dir, `bt_u${uid}`), 'in-runtime')
  await writeFile(tmp, 'in-tmp')
  if (isRoot) for (const path of [join(dir, `bt_u${uid}`), tmp]) await chown(path, uid, 0)
  try {
    const env = { BEARER_TOKEN: 'direct', BEARER_TOKEN_FILE: file, XDG_RUNTIME_DIR: dir }
    const seen: string[] = []
    seen.push(await found(env, uid), await found({ ...env, BEARER_TOKEN: ' ' }, uid))
    await writeFile(file, '\n')
    // Whoever runs this and is not root owns these files, and is not he.
    seen.push(await found({ ...env, BEARER_TOKEN: '' }, uid))
    await rm(join(dir, `bt_u${uid}`))
    seen.push(await found({ ...env, BEARER_TOKEN: '' }, uid))
    assert.equal(seen, [
      'direct',
      'in-file',
      ...(isRoot ? ['in-runtime, found', 'in-tmp, found'] : ['none', 'none']),
    ])
  } finally {
    await rm(tmp)
  }
})

test('a file that another user laid down is passed over, unless it was named', async () => {
  const dir = await temporary()
  const path = join(dir, `bt_u${uid}`)
  await writeFile(path, 'of-another')
  if (isRoot) await chown(path, uid + 1, 0)
  assert.is(await found({ XDG_RUNTIME_DIR: dir }, uid), 'none')
  assert.is(await found({ BEARER_TOKEN_FILE: path }, uid), 'of-another')
})

test('what is no file, is too long, or would break a header, is said and not sent', async () => {
  const dir = await temporary()
  const file = join(dir, 'token')
  await mkdir(join(dir, 'folder'))
  assert.match(
    await found({ BEARER_TOKEN_FILE: join(dir, 'folder') }),
    /folder (holds no token|cannot be read)/,
  )
  for (const text of ['x'.repeat(70_000), 'x'.repeat(16_385), 'two words', 'a\r\nHost: b', '\u00fc']) {
    await writeFile(file, text)
    assert.match(await found({ BEARER_TOKEN_FILE: file }), 'holds no token')
  }
})

test('without numbers for users only what is named counts', async () => {
  const dir = await temporary()
  await writeFile(join(dir, 'bt_uundefined'), 'x')
  assert.is(await findToken({ XDG_RUNTIME_DIR: dir }, undefined), undefined)
})

test.run()
