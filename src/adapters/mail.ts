/** Mail by SMTP: to the operator, about auctions that failed or were called off. */

import type { Transporter } from 'nodemailer';
import type { Message } from '../auction/webhooks.ts';

export interface MailSettings {
  /** `smtp://` or `smtps://`, with name and password where the server asks for them. */
  readonly server: string;
  readonly from: string;
  /** One address or several, with commas between. */
  readonly to: string;
}

/** What a mail server is handed; the same `id` in each attempt. @throws where it does not take it */
export type SendMail = (id: string, message: Message) => Promise<void>;

const patienceMs = 10_000;

export function openMail({ server, from, to }: MailSettings): SendMail {
  let transport: Transporter | undefined;
  return async (id, { type, timestamp, data }) => {
    // Only a house that sends mail loads the library.
    transport ??= (await import('nodemailer')).createTransport({
      url: server,
      connectionTimeout: patienceMs,
      greetingTimeout: patienceMs,
      socketTimeout: patienceMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const { auction, cause } = data as { auction: string; cause: string };
    const what = `${auction}: ${type.replaceAll('-', ' ')}`;
    const facts = Object.entries(data).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
    const text = [what, cause, '', `at: ${timestamp}`, ...facts, ''].join('\n');
    await transport.sendMail({ from, to, subject: `[merit] ${what}`, text, messageId: `<${id}@merit>` });
  };
}
