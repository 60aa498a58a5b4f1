// A browser that goes where it is sent: for logging in. Never shows a page.

import { get as getPlain, type IncomingMessage } from 'node:http'
import { get } from 'node:https'
import { caPem } from '../../src/practice/certificates.ts'

/** What a person's browser does.
 *  @returns the last page */
export async function browse(url: string, ca: string = caPem): Promise<string> {
  const { location, text } = await new Promise<{ location: string | undefined; text: string }>(
    (resolve, reject) => {
      const take = (answer: IncomingMessage): void => {
        let text = ''
        answer.on('data', chunk => {
          text += chunk
        })
        answer.on('end', () => resolve({ location: answer.headers.location, text }))
      }
      const asked = url.startsWith('https:') ? get(url, { ca, agent: false }, take) : getPlain(url, take)
      asked.on('error', reject)
    },
  )
  return location === undefined ? text : browse(new URL(location, url).href, ca)
}
