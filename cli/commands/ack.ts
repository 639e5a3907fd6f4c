import type { Command } from 'commander';
import type { UserError } from '../../sdk/index.ts';
import { settled } from '../client.ts';
import { contextOf, type Surface } from '../context.ts';

const ACKNOWLEDGE = `mutation AcknowledgeAlert($input: AlertActionInput!) {
  acknowledgeAlert(input: $input) { alert { id name state acknowledgement { at note by { name } } } userErrors { code message field } }
}`;

interface Payload {
  alert: { id: string; name: string; state: string; acknowledgement: { by: { name: string } } | null } | null;
  userErrors: UserError[];
}

export function addAck(program: Command, surface: Surface): void {
  const command = program
    .command('ack')
    .description('Acknowledges an alert: somebody has it in hand, escalation rests.')
    .argument('<id>', 'the alert’s id')
    .option('--note <text>', 'what the others should know');
  command.action(async (id: string, { note }: { note?: string }) => {
    const { client, printer } = contextOf(command, surface);
    const { acknowledgeAlert } = await client.query<{ acknowledgeAlert: Payload | null }>(ACKNOWLEDGE, {
      input: { id, note },
    });
    const { alert } = settled(acknowledgeAlert);
    printer.answer(alert, () =>
      printer.line(`${alert?.name} is ${alert?.state}, acknowledged by ${alert?.acknowledgement?.by.name ?? 'nobody'}`),
    );
  });
}
