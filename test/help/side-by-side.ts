// Tests that wait most of their time run side by side, and still fail each under its own name.

type Suite = (name: string, run: () => Promise<void>) => void

/** All begin with the first; each is a test of its own. */
export function sideBySide(test: Suite, scenarios: Readonly<Record<string, () => Promise<void>>>): void {
  const begun = new Map<string, Promise<void>>()
  let started = false
  for (const [name, run] of Object.entries(scenarios))
    test(name, async () => {
      if (!started)
        for (const [each, scenario] of Object.entries(scenarios)) {
          const running = scenario()
          running.catch(() => {}) // told by its own test below
          begun.set(each, running)
        }
      started = true
      await (begun.get(name) ?? run())
    })
}
