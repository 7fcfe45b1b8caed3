/**
 * One fact, one log line and its metrics. Parts of the program only report facts; nothing that happens here changes what they do.
 * Each telemetry has a registry of its own: nothing is shared through the process.
 */
import type { Logger } from 'pino';
import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import type { Fact, Observer } from '../core/facts.ts';
import { escalationReports } from './escalation-reports.ts';
import { createLogger, errorFields, type LogOptions } from './logger.ts';
import { modelReports } from './model-reports.ts';
import { noteReports } from './note-reports.ts';
import type { FactKind, Report, Reports } from './report.ts';
import { shadowReports } from './shadow-reports.ts';
import { type RoleState, streamReports } from './stream-reports.ts';

export interface Telemetry {
  /** Never throws. */
  readonly observe: Observer;
  readonly registry: Registry;
  /** For what is no fact, such as the configuration at start; never give it text of a note. */
  readonly logger: Logger;
  /** The latest state of every role that reported one. */
  readonly roles: ReadonlyMap<string, RoleState>;
  /** Groups in which this process has not, or no longer, all that the group gave it. */
  readonly unsettledGroups: ReadonlySet<string>;
}

export function createTelemetry(options: { readonly log: LogOptions }): Telemetry {
  const registry = new Registry();
  const logger = createLogger(options.log);
  const roles = new Map<string, RoleState>();
  const unsettledGroups = new Set<string>();
  const reports: Reports<FactKind> = {
    ...modelReports(registry),
    ...noteReports(registry),
    ...shadowReports(registry),
    ...escalationReports(registry),
    ...streamReports(registry),
  };
  const unrecorded = new Counter({
    name: 'clinstream_facts_unrecorded_total',
    help: 'Facts that broke their own report: a fault of clinstream.',
    labelNames: ['kind'],
    registers: [registry],
  });
  collectDefaultMetrics({ register: registry });

  return {
    observe: fact => {
      if (fact.kind === 'role.state') roles.set(fact.role, fact.state);
      if (fact.kind === 'group.settled') unsettledGroups.delete(fact.group);
      if (fact.kind === 'group.unsettled' || fact.kind === 'group.left') unsettledGroups.add(fact.group);
      try {
        tell(logger, reports[fact.kind] as Report<Fact>, fact);
      } catch (error) {
        unrecorded.inc({ kind: fact.kind });
        logger.error({ fact: fact.kind, err: error instanceof Error ? errorFields(error) : {} }, 'fact not recorded');
      }
    },
    registry,
    logger,
    roles,
    unsettledGroups,
  };
}

function tell(logger: Logger, report: Report<Fact>, fact: Fact): void {
  report.measure(fact);
  const level = typeof report.level === 'function' ? report.level(fact) : report.level;
  if (logger.isLevelEnabled(level)) logger[level]({ fact: fact.kind, ...report.fields(fact) }, report.message);
}
