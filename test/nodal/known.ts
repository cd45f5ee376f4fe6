/** Books that are not right yet, by name, each with what is wrong. */

export const known: Readonly<Record<string, string>> = {};
