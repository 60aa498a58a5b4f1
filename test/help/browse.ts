// A browser that goes where it is sent: for logging in. Never shows a page.

import { request } from 'node:https'
import { caPem } from '../../src/practice/certificates.ts'

/** What a person's browser does. @returns the last page */
export async function browse(url: string, ca: string = caPem): Promise<string> {
  const [, place = '', path = '/'] = /^(https:\/\/[^/]+)(.*)$/.exec(url) ?? []
  const { location, text } = await new Promise<{ location: string | undefined; text: string }>(
    (resolve, reject) => {
      request(place + path, { ca, rejectUnauthorized: true }, answer => {
        let text = ''
        answer.on('data', chunk => {
          text += chunk
        })
        answer.on('end', () => resolve({ location: answer.headers.location, text }))
      })
        .on('error', reject)
        .end()
    },
  )
  return location === undefined ? text : browse(location.startsWith('/') ? place + location : location, ca)
}
