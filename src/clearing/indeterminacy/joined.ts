/** Which of n things hang together: a union-find. The root of a group is its smallest member. */
export class Joined {
  readonly size: number;
  readonly #parent: Int32Array;

  constructor(size: number) {
    this.size = size;
    this.#parent = Int32Array.from({ length: size }, (_, i) => i);
  }

  root(member: number): number {
    const parent = this.#parent;
    let i = member;
    while (parent[i] !== i) {
      parent[i] = parent[parent[i]!]!;
      i = parent[i]!;
    }
    return i;
  }

  /** False when the two were together already. */
  join(one: number, other: number): boolean {
    const a = this.root(one);
    const b = this.root(other);
    if (a === b) return false;
    this.#parent[Math.max(a, b)] = Math.min(a, b);
    return true;
  }
}
