// A command line as a user writes it in a setting -> program and arguments. There is no shell behind it, and it never acts as if.

/** Words are parted by blanks; '…' and "…" hold a word together, and a backslash takes the next character as it is (not within '…').
 *  @returns a sentence for what only a shell would understand (variables, pipes, `;`, a leading ~): it must not be taken literally by
 *  a program that the user does not expect it to reach */
export function splitCommand(text: string): readonly string[] | { readonly message: string } {
  const words: string[] = []
  let word: string | undefined
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? ''
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (char === "'" || char === '"') {
      const quoted = quotedFrom(text, i + 1, char)
      if (quoted === undefined) return { message: `a ${char} is not closed` }
      word = (word ?? '') + quoted.text
      i = quoted.end
    } else if (char === '\\') {
      i++
      if (i === text.length) return { message: 'it ends in the middle, after a backslash' }
      word = (word ?? '') + text[i]
    } else if (/[|&;<>()$`*?]/.test(char) || (char === '~' && word === undefined))
      return {
        message: `no shell reads it, so ${char} means nothing here: quote it, or put it into a script`,
      }
    else word = (word ?? '') + char
  }
  if (word !== undefined) words.push(word)
  return words[0] === undefined || words[0] === '' ? { message: 'it names no program' } : words
}

function quotedFrom(
  text: string,
  start: number,
  quote: string,
): { readonly text: string; readonly end: number } | undefined {
  let found = ''
  for (let i = start; i < text.length; i++) {
    if (text[i] === quote) return { text: found, end: i }
    if (text[i] === '\\' && quote === '"' && /["\\]/.test(text[i + 1] ?? '')) i++
    found += text[i] ?? ''
  }
  return undefined
}
