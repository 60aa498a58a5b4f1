import type { Identity } from '../outside/request.ts'
import type { GridCert } from '../words/status.ts'
import type { World } from '../words/world.ts'

export type CredentialOptions = {
  readonly authType: 'userpass' | 'x509' | 'x509_proxy' | 'token'
  /** X509_USER_PROXY, or undefined */
  readonly proxyPath?: string
  readonly certPath?: string
  readonly keyPath?: string
  /** X509_CERT_DIR with hashed *.0 files */
  readonly caDir?: string
  /** ca_cert of rucio.cfg: one bundle */
  readonly caBundle?: string
  /** WLCG discovery order: BEARER_TOKEN, BEARER_TOKEN_FILE, $XDG_RUNTIME_DIR/bt_u<uid>, /tmp/bt_u<uid>; read anew before each use */
  readonly env: Readonly<Record<string, string | undefined>>
}

export type Credential = {
  /** Files are looked at (mtime) at most once in 5 s; changed files make a new Identity, the old one is closed when idle. */
  identity(): Promise<Identity>
  /** storage bearer token, if one is configured */
  token(): Promise<string | undefined>
  state(): Promise<GridCert>
  close(): void
}

export declare function openCredential(options: CredentialOptions, world: World): Promise<Credential>
