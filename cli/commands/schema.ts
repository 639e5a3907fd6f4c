import type { Command } from 'commander';
import { contextOf, type Surface } from '../context.ts';

export function addSchema(program: Command, surface: Surface): void {
  const command = program
    .command('schema')
    .description('The API’s schema as SDL, by introspection; needs scope schema:read.');
  command.action(async () => {
    const { client, printer } = contextOf(command, surface);
    // Loaded by this command alone: the others start without it.
    const { buildClientSchema, getIntrospectionQuery, printSchema } = require('graphql') as typeof import('graphql');
    const introspection = await client.query<Parameters<typeof buildClientSchema>[0]>(
      getIntrospectionQuery({ descriptions: true }),
    );
    printer.answer(introspection, () => printer.line(printSchema(buildClientSchema(introspection))));
  });
}
