/**
 * Tell a Slack channel what became of a deployment: what, who, and a link. All of it comes by environment: `SLACK_WEBHOOK_URL`,
 * `OUTCOME` (success, failure or cancelled), `WHAT`, `WHO`, `LINK`. Where nobody has set an address, Slack is not to hear of it.
 */

const names = ['OUTCOME', 'WHAT', 'WHO', 'LINK'] as const;
type Told = Readonly<Record<(typeof names)[number], string>>;

const signs: Readonly<Record<string, string>> = { success: ':white_check_mark:', failure: ':x:' };

/** A commit's message may have several lines and marks of Slack's own; a line of plain text is what is wanted. */
const plain = (text: string): string =>
  text.split('\n', 1)[0]!.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const messageOf = ({ OUTCOME, WHAT, WHO, LINK }: Told) => ({
  text: `${signs[OUTCOME] ?? ':warning:'} ${OUTCOME}: ${plain(WHAT)}, by ${plain(WHO)} (<${LINK}|look>)`,
});

async function tell(url: string): Promise<void> {
  const missing = names.filter((name) => !process.env[name]);
  if (missing.length > 0) throw new Error(`the environment does not say ${missing.join(', ')}`);
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(messageOf(process.env as unknown as Told)),
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) throw new Error(`Slack answers ${response.status}: ${await response.text()}`);
}

// A workflow hands on a secret that nobody has set as an empty text.
const url = process.env.SLACK_WEBHOOK_URL;
try {
  if (url) await tell(url);
  else console.log('Slack is not told: SLACK_WEBHOOK_URL is not set');
} catch (error) {
  console.error(`notify-slack: ${(error as Error).message}`);
  process.exitCode = 1;
}

export {};
