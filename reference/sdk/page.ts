import { cell, code, page, prose, table } from '../markdown.ts';
import type { DocComment } from './doc-comment.ts';
import type { Exported, Member } from './exports.ts';
import { type Places, typeLinks } from './types.ts';

/** What is said beside what a thing is: its parameters, what it gives, what it throws. */
function tagged({ params, returns, throws }: DocComment): string[] {
  return [
    ...params.map(({ name, what }) => `${name.split(', ').map(code).join(', ')}: ${cell(what)}`),
    ...(returns ? [`gives ${cell(returns)}`] : []),
    ...(throws ? [`throws ${cell(throws)}`] : []),
  ];
}

/** A module's page: its name, and where everything that the SDK gives out is told. */
interface Site {
  page: string;
  places: Places;
}

function memberRow({ signature, doc, isStatic }: Member, under: string, { page: here, places }: Site): string[] {
  const shown = isStatic && !signature.startsWith('static') ? `static ${signature}` : signature;
  const links = typeLinks(signature, under, here, places);
  return [code(shown.replace(/\|/g, '\\|')), [cell(doc.what), ...tagged(doc), links].filter(Boolean).join('<br>')];
}

function section({ name, signature, doc, members }: Exported, site: Site): string {
  const links = typeLinks(signature, name, site.page, site.places);
  return page(
    `## ${name}`,
    `\`\`\`typescript signature\n${signature}\n\`\`\``,
    prose(doc.what),
    tagged(doc)
      .map((line) => `- ${line}`)
      .join('\n'),
    links && `Types: ${links}.`,
    table(
      ['member', 'what it is'],
      members.map((member) => memberRow(member, name, site)),
    ),
  );
}

/** The page of one module. */
export function modulePage(module: string, intro: string, exported: readonly Exported[], site: Site): string {
  const names = exported.map(({ name }) => `[\`${name}\`](#${name.toLowerCase()})`).join(' · ');
  return page(`# ${module}`, intro, names, ...exported.map((each) => section(each, site)));
}

/** What of a module says nothing of itself: its file and its name. A constructor may leave it to its class. */
export function silentIn(exported: readonly Exported[]): string[] {
  return exported.flatMap(({ name, doc, members, file }) => [
    ...(doc.what ? [] : [`${file}: ${name} has no doc comment`]),
    ...members
      .filter(
        (member) =>
          member.name !== 'constructor' && !member.doc.what && !member.doc.returns && !member.doc.params.length,
      )
      .map((member) => `${file}: ${name}.${member.name} has no doc comment`),
  ]);
}
