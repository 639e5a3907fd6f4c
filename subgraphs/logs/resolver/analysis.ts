import { Arg, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import { LogFilter } from '../../../lib/graphql/log-filter.ts';
import { LogEntry, LogFacet, LogPattern } from '../entity/index.ts';
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
}

@Resolver(() => LogPattern)
export class PatternResolver {
  @FieldResolver(() => LogEntry, { nullable: true })
  sample(@Root() pattern: LogPattern, @Ctx() { loaders }: LogContext): Promise<LogEntry | null> {
    return loaders.entry.load(pattern.sampleUuid);
  }
}
