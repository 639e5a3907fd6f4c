import { Arg, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import { LogFilter } from '../../../lib/graphql/log-filter.ts';
import { LogCompletion, LogEntry, LogFacet, LogPattern } from '../entity/index.ts';
import type { LogContext } from './context.ts';

const FILTER = { nullable: true, description: 'Which entries; all when absent.' };
const FIRST = { nullable: true, defaultValue: 20, description: 'How many at most; 1 to 100.' };

@Resolver()
export class AnalysisResolver {
  @Query(() => [LogFacet], { nullable: true, description: 'The commonest values of a field, most entries first.' })
  logFacets(
    @Arg('filter', () => LogFilter, FILTER) filter: LogFilter | null,
    @Arg('field', () => String, {
      description:
        'As in a search: `severity`, `service`, `agent`, `traceId`, `spanId`, `attributes.user.id`, `resource.host.name`.',
    })
    field: string,
    @Arg('first', () => Int, FIRST) first: number,
    @Ctx() { service }: LogContext,
  ): Promise<LogFacet[]> {
    return service.analysis.facets(filter, field, first);
  }

  @Query(() => [LogPattern], {
    nullable: true,
    description: 'What the newest matching entries say, those that say the same taken together, most entries first.',
  })
  logPatterns(
    @Arg('filter', () => LogFilter, FILTER) filter: LogFilter | null,
    @Arg('first', () => Int, FIRST) first: number,
    @Ctx() { service }: LogContext,
  ): Promise<LogPattern[]> {
    return service.analysis.patterns(filter, first);
  }

  @Query(() => [LogCompletion], {
    nullable: true,
    description: 'What a search that is being written could go on with, by what the last hour has; commonest first.',
  })
  logCompletions(
    @Arg('query', () => String, { description: 'The search as far as it is written.' }) query: string,
    @Arg('caret', () => Int, {
      nullable: true,
      description: 'How many characters are before the caret; all unless given.',
    })
    caret: number | null,
    @Ctx() { service }: LogContext,
  ): Promise<LogCompletion[]> {
    return service.completion.complete(query, caret);
  }
}

@Resolver(() => LogPattern)
export class PatternResolver {
  @FieldResolver(() => LogEntry, { nullable: true })
  sample(@Root() pattern: LogPattern, @Ctx() { loaders }: LogContext): Promise<LogEntry | null> {
    return loaders.entry.load(pattern.sampleUuid);
  }
}
