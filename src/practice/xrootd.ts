// Texts and headers of XRootD's HTTP answers, as recorded. Never decides which one is given.

import type { ServerResponse } from 'node:http'

/** Answers with a text and its length; to HEAD with the length of nothing, as XRootD does on errors. */
export function text(status: number, body: string, response: ServerResponse): void {
  const bytes = Buffer.from(response.req.method === 'HEAD' && status >= 400 ? '' : body)
  response.setHeader('Content-Length', bytes.length)
  response.writeHead(status)
  response.end(bytes)
}

/** The same, and the connection ends with it. */
export function refuse(status: number, body: string, response: ServerResponse): void {
  response.setHeader('Connection', 'Close')
  text(status, body, response)
}

export function directoryPage(path: string, entries: readonly string[]): string {
  const rows = entries.map(
    name =>
      `<tr><td class="mode">d--r-x</td><td class="mode">19</td><td class="size">4096</td><td class="datetime">Tue, 24 Nov 2026 11:31:48 GMT</td><td class="name"><a href="${path}/${name}">${name}</a></td></tr>`,
  )
  return `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
<meta http-equiv="content-type" content="text/html;charset=utf-8"/>
<title>${path}</title>
</head>
<body>
<h1>Listing of: ${path}</h1>
<div id="header"><table id="ft">
<thead><tr>
<th class="mode">Mode</th><th class="flags">Flags</th><th class="size">Size</th><th class="datetime">Modified</th><th class="name">Name</th></tr></thead>
${rows.join('')}</table></div><br><br><hr size=1>
<p>Powered by XrdHTTP v5.5.3 (CERN IT-SDC)</p>
</body>
</html>
`
}

export function propfindAnswer(path: string, size: number): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<D:multistatus xmlns:D="DAV:" xmlns:ns1="http://apache.org/dav/props/" xmlns:ns0="DAV:">
<D:response xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/" xmlns:lp3="LCGDM:">
<D:href>${path}</D:href>
<D:propstat>
<D:prop>
<lp1:getcontentlength>${size}</lp1:getcontentlength>
<lp1:getlastmodified>Tue, 24 Nov 2026 11:17:56 GMT</lp1:getlastmodified>
<lp1:iscollection>0</lp1:iscollection>
<lp1:executable>F</lp1:executable>
</D:prop>
<D:status>HTTP/1.1 200 OK</D:status>
</D:propstat>
</D:response>
</D:multistatus>
`
}

export const loginPage = `<!doctype html>
<html><head><title>Single sign-on</title></head>
<body><h1>Please sign in to go on</h1><form method="post"><input name="user"><input name="password" type="password"></form></body></html>
`
