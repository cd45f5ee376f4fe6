/** What a check of data at rest says: a rule, how many things it looked at, and what it found wrong. */

export interface Found {
  /** An auction, a key of the archive, a file. */
  readonly where: string;
  /** What was seen, and what should have been. */
  readonly message: string;
}

export interface Check {
  readonly rule: string;
  readonly title: string;
  readonly checked: number;
  readonly found: readonly Found[];
}

/** Run a rule over things; `look` says what is wrong with one of them, if anything. */
export function checkEach<T>(
  rule: string,
  title: string,
  things: Iterable<T>,
  whereOf: (thing: T) => string,
  look: (thing: T) => string | undefined,
): Check {
  const found: Found[] = [];
  let checked = 0;
  for (const thing of things) {
    checked++;
    const message = attempt(() => look(thing));
    if (message !== undefined) found.push({ where: whereOf(thing), message });
  }
  return { rule, title, checked, found };
}

/** Damage shows in many ways, a text that is no JSON among them: whatever is thrown while looking is what was found. */
function attempt(look: () => string | undefined): string | undefined {
  try {
    return look();
  } catch (error) {
    return (error as Error).message;
  }
}
