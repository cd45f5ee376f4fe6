/**
 * Tell a Slack channel what became of a deployment: what, who, and a link. All of it comes by environment: `SLACK_WEBHOOK_URL`,
 * `OUTCOME` (success, failure or cancelled), `WHAT`, `WHO`, `LINK`.
 */

const names = ['SLACK_WEBHOOK_URL', 'OUTCOME', 'WHAT', 'WHO', 'LINK'] as const;
type Told = Readonly<Record<(typeof names)[number], string>>;

const signs: Readonly<Record<string, string>> = { success: ':white_check_mark:', failure: ':x:' };

/** A commit's message may have several lines and marks of Slack's own; a line of plain text is what is wanted. */
const plain = (text: string): string =>
  text.split('\n', 1)[0]!.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const messageOf = ({ OUTCOME, WHAT, WHO, LINK }: Told) => ({
  text: `${signs[OUTCOME] ?? ':warning:'} ${OUTCOME}: ${plain(WHAT)}, by ${plain(WHO)} (<${LINK}|look>)`,
});

const missing = names.filter((name) => !process.env[name]);
if (missing.length > 0) throw new Error(`the environment does not say ${missing.join(', ')}`);
const told = process.env as unknown as Told;
const response = await fetch(told.SLACK_WEBHOOK_URL, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(messageOf(told)),
  signal: AbortSignal.timeout(30_000),
});
if (!response.ok) throw new Error(`Slack answers ${response.status}: ${await response.text()}`);
