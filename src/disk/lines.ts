import type { CatalogueFile, ListingHead, ListingLine, MissingHead } from '../words/listing.ts'
import type { VerifiedLine } from '../words/verified.ts'
import type { Root } from './layout.ts'

/** Lines of a file as parsed JSON, streamed; a line that does not parse is skipped, so is a last one without newline. */
export declare function jsonLines(root: Root, path: string): AsyncIterable<unknown>

/** Head and lines of listing.jsonl or catalogue/NAME.jsonl. A listing whose lines do not add up to its head (length, bytes)
 *  is set aside and counts as absent. `each` may be left out to get the head alone (then nothing is added up). */
export declare function readListing(
  root: Root,
  path: string,
  each?: (line: ListingLine) => void,
): Promise<ListingHead | MissingHead | undefined>

/** Writes a listing in bounded memory: first raw lines to staging, then paths (twins, doubles, kept paths), then renamed to its target. */
export declare class ListingWriter {
  static open(root: Root): Promise<ListingWriter>
  /** A DID that came before is dropped: a file that is in two datasets of a container lies there once. */
  add(file: CatalogueFile): Promise<void>
  /** @param kept `scope:name` -> path of an earlier listing
   *  @returns the head as written: length and bytes without doubles */
  commit(
    target: string,
    head: Omit<ListingHead, 'format' | 'length' | 'bytes'>,
    kept: ReadonlyMap<string, string>,
  ): Promise<ListingHead>
  abort(): Promise<void>
}

/** Writes `does not exist` to catalogue/NAME.jsonl. */
export declare function putMissing(root: Root, target: string, head: MissingHead): Promise<void>

/** verified.jsonl, opened for appending by one process: cut to its last newline before the first append; with another's id or no
 *  head it is written anew and no old line counts. */
export declare class VerifiedLog {
  static open(root: Root, name: string): Promise<VerifiedLog>
  /** The data directory that its head names; undefined without a good head. Only reads. */
  static idOf(root: Root, name: string): Promise<string | undefined>
  /** path -> the last good line */
  readonly lines: ReadonlyMap<string, VerifiedLine>
  append(line: VerifiedLine): Promise<void>
  /** Lines and the dataset's directory are durable when this resolves. */
  sync(): Promise<void>
  close(): Promise<void>
}
/** path -> the last good line, for readers; empty when the id is another's. */
export declare function readVerified(root: Root, name: string): Promise<ReadonlyMap<string, VerifiedLine>>
