import { suite } from 'uvu'
import { equal } from 'uvu/assert'
import { blocksOf } from './pages.ts'

const test = suite('pages')

test('indented and fenced code are blocks, each under its heading', () => {
  const page = `# Top

Text with \`code\` in it
    that goes on indented.

    one --option   # why
        deeper

    two

## Next
\`\`\`sh
three
    four

\`\`\`
text
`
  equal(blocksOf(page), [
    { heading: 'Top', text: 'one --option   # why\n    deeper\n\ntwo\n' },
    { heading: 'Next', text: 'three\n    four\n' },
  ])
})

test('a page that ends in code, or has none', () => {
  equal(blocksOf('## A\n\n    last'), [{ heading: 'A', text: 'last\n' }])
  equal(blocksOf('## A\n\ntext\n'), [])
})

test.run()
