import type { Desk } from '../task.ts';

/** Reads what the librarians find; now and then needs a second round. */
export async function research(desk: Desk): Promise<string> {
  const rounds = desk.chance() < 0.25 ? 2 : 1;
  let sources = 0;
  for (let round = 1; round <= rounds; round++) {
    const found = await desk.ask('librarian', desk.task.goal);
    sources += Number.parseInt(found, 10) || 0;
    await desk.think(2_400, 350);
  }
  desk.log('research done', { 'research.sources': sources, 'research.rounds': rounds });
  desk.count('sources_read_total', sources);
  return `${sources} sources read`;
}
