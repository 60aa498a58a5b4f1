// The text of INCOMPLETE.txt. Never writes it.

/** What a person reads who opens the folder too early. */
export function incompleteText(done: number, all: number): string {
  return `${done} of ${all} files; do not analyse yet\n`
}
