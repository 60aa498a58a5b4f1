// Takes secrets out of text before it is written anywhere. Never keeps or shows one.

const stars = '***'

/** What is secret by its shape: keys, tokens, signatures in a URL's query. */
const shapes: readonly (readonly [RegExp, string])[] = [
  // A block that was cut before its end line hides all that follows.
  [/-----BEGIN [^-\n]{1,64}-----[\s\S]*?(?:-----END [^-\n]{1,64}-----|$)/g, stars],
  [/\b(Bearer)(\s+|%20)[^\s"',;]+/gi, `$1 ${stars}`],
  [/(X-Rucio-Auth-Token["']?\s*[:=]\s*["']?)[^\s"',;]+/gi, `$1${stars}`],
  [/([?&](?:authz|access_token|token|signature|x-amz-[a-z-]+|x-goog-[a-z-]+)=)[^\s&"']+/gi, `$1${stars}`],
]

/** A filter that knows the given secrets and the common shapes.
 *  `hide` adds one: in its plain form and as it stands in a URL, in JSON and in base64. */
export function openFilter(): { hide(secret: string): void; filter(text: string): string } {
  const known = new Set<string>()
  return {
    hide(secret) {
      const plain = secret.trim()
      if (plain === '') return
      for (const form of [
        plain,
        encodeURIComponent(plain),
        JSON.stringify(plain).slice(1, -1),
        Buffer.from(plain).toString('base64'),
      ])
        known.add(form)
    },
    filter(text) {
      let clean = text
      // The longest first: one secret may hold another.
      for (const secret of [...known].sort((a, b) => b.length - a.length))
        clean = clean.replaceAll(secret, stars)
      for (const [shape, instead] of shapes) clean = clean.replace(shape, instead)
      return clean
    },
  }
}
