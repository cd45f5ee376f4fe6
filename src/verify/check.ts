/** How a check is written down: what was looked at, and what was wrong. */

import type { Check, Violation } from './verify.ts';

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
