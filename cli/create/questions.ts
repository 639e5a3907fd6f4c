import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import { FleetFailure } from '../../sdk/index.ts';
import type { Surface } from '../context.ts';
import { refused } from './names.ts';

/** One thing that must be known: by a flag, else by its standard where that is welcome, else by who sits there. */
export interface Question {
  flag: string;
  text: string;
  standard: string;
  choices?: readonly string[];
  check?: (answer: string) => string;
}

/** Asks on a terminal what flags did not say; the questions are on standard error, so that answers can be piped on. */
export class Questions {
  #reader: Interface | undefined;
  #lines: AsyncIterator<string> | undefined;

  /** @param takesStandards whether what nobody said is as usual, and nothing is asked */
  constructor(
    private readonly surface: Surface,
    private readonly takesStandards: boolean,
  ) {}

  /** @throws BAD_INPUT for a flag that is wrong, and for one that is missing where nobody can be asked */
  async answer(said: string | undefined, question: Question): Promise<string> {
    if (said !== undefined) return checked(said, question);
    if (this.takesStandards) return question.standard;
    const { stdin, err } = this.surface;
    if (!stdin.isTTY || !err.isTTY)
      throw refused(`say ${question.flag}${choicesOf(question)}, or --yes for ${question.standard}`);
    return this.#ask(question);
  }

  /** Lets go of the terminal. */
  close(): void {
    this.#reader?.close();
  }

  async #ask(question: Question): Promise<string> {
    this.#reader ??= createInterface({ input: this.surface.stdin as Readable });
    this.#lines ??= this.#reader[Symbol.asyncIterator]();
    for (;;) {
      this.surface.err.write(`${question.text}${choicesOf(question)} (${question.standard}): `);
      const { value, done } = await this.#lines.next();
      if (done) throw refused(`${question.flag} was not answered`);
      try {
        return checked(value.trim() || question.standard, question);
      } catch (error) {
        if (!(error instanceof FleetFailure)) throw error;
        this.surface.err.write(`${error.message}\n`);
      }
    }
  }
}

function checked(answer: string, { flag, choices, check }: Question): string {
  if (choices && !choices.includes(answer)) throw refused(`${flag} is one of ${choices.join(', ')}, not “${answer}”`);
  return check ? check(answer) : answer;
}

const choicesOf = ({ choices }: Question) => (choices ? ` ${choices.join('|')}` : '');
