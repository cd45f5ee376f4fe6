/** How a check is written down: what was looked at, and what was wrong. */

export interface Violation {
  /** What it is about: an order's record_id, `ZONE/period`, or a line's id and period. */
  readonly where: string;
  readonly message: string;
}

export interface Check {
  /** `INV-01` and so on, of market rules section 11; `REASON` and `SURPLUS` of section 12. */
  readonly invariant: string;
  readonly title: string;
  /** How many things were looked at. 0: the book has nothing that the invariant concerns. */
  readonly checked: number;
  readonly violations: readonly Violation[];
  /** What nobody can see from these files alone, where nothing is violated; whose word it is. */
  readonly unchecked?: string;
}

export class Findings {
  readonly #invariant: string;
  readonly #title: string;
  readonly #violations: Violation[] = [];
  #checked = 0;

  constructor(invariant: string, title: string) {
    this.#invariant = invariant;
    this.#title = title;
  }

  /** Look at one thing: `message` is only asked for when it does not hold. */
  expect(holds: boolean, where: string, message: () => string): void {
    this.#checked++;
    if (!holds) this.#violations.push({ where, message: message() });
  }

  get check(): Check {
    return { invariant: this.#invariant, title: this.#title, checked: this.#checked, violations: this.#violations };
  }
}
