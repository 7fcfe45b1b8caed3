/** What happens to partitions, transactions and the role that drives them. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type FactOf, type Reports, SECONDS } from './report.ts';

export type StreamFactKind =
  | 'partition.assigned'
  | 'partition.lost'
  | 'partition.lag'
  | 'partition.truncated'
  | 'partition.phase'
  | 'group.settled'
  | 'group.unsettled'
  | 'group.left'
  | 'transaction.committed'
  | 'transaction.failed'
  | 'role.state';

export type RoleState = FactOf<'role.state'>['state'];

const ROLE_STATES: readonly RoleState[] = ['starting', 'ready', 'draining', 'stopped', 'failed'];
const PLACE = ['group', 'topic', 'partition'] as const;

export function streamReports(registry: Registry): Reports<StreamFactKind> {
  const registers = [registry];
  const assigned = new Gauge({
    name: 'clinstream_partition_assigned',
    help: '1 while this process reads the partition, 0 after it lost it.',
    labelNames: PLACE,
    registers,
  });
  const lag = new Gauge({
    name: 'clinstream_partition_lag',
    help: 'Records not yet acknowledged.',
    labelNames: PLACE,
    registers,
  });
  const records = new Counter({
    name: 'clinstream_records_committed_total',
    help: 'Input records acknowledged.',
    labelNames: PLACE,
    registers,
  });
  const outputs = new Counter({
    name: 'clinstream_outputs_committed_total',
    help: 'Records published together with those acknowledgements.',
    labelNames: ['group', 'topic'],
    registers,
  });
  const transactions = new Histogram({
    name: 'clinstream_transaction_seconds',
    help: 'Time that committed transactions took.',
    labelNames: ['group'],
    buckets: SECONDS,
    registers,
  });
  const failed = new Counter({
    name: 'clinstream_transaction_failures_total',
    help: 'Transactions that did not commit; their records are delivered again.',
    labelNames: ['group', 'code'],
    registers,
  });
  const truncated = new Counter({
    name: 'clinstream_records_expired_total',
    help: 'Input records that expired on the broker before they were read: lost.',
    labelNames: PLACE,
    registers,
  });
  const phases = new Counter({
    name: 'clinstream_transaction_phases_total',
    help: 'Steps that take-overs and transactions reached: where one number stays behind the one before it, they get stuck.',
    labelNames: ['phase'],
    registers,
  });
  const settled = new Gauge({
    name: 'clinstream_group_settled',
    help: '1 while this process owns every partition that the group gave it.',
    labelNames: ['group'],
    registers,
  });
  const rebalances = new Counter({
    name: 'clinstream_group_unsettled_total',
    help: 'Rebalances, and losses of the group or of a partition, by code.',
    labelNames: ['group', 'code'],
    registers,
  });
  const role = new Gauge({
    name: 'clinstream_role_state',
    help: '1 for the state that the role is in, 0 for the others.',
    labelNames: ['role', 'state'],
    registers,
  });

  return {
    'partition.assigned': {
      level: 'info',
      message: 'partition assigned',
      fields: fact => ({ ...place(fact), position: String(fact.position) }),
      measure: fact => assigned.set(place(fact), 1),
    },
    'partition.lost': {
      level: 'info',
      message: 'partition lost',
      fields: fact => ({ ...place(fact), reason: fact.reason }),
      measure: fact => {
        assigned.set(place(fact), 0);
        lag.remove(place(fact));
      },
    },
    'partition.lag': {
      level: 'debug',
      message: 'partition lag',
      fields: fact => ({ ...place(fact), lag: Number(fact.lag) }),
      measure: fact => lag.set(place(fact), Number(fact.lag)),
    },
    'partition.truncated': {
      level: 'error',
      message: 'records expired before they were read',
      fields: fact => ({ ...place(fact), records: String(fact.records) }),
      measure: fact => truncated.inc(place(fact), Number(fact.records)),
    },
    'partition.phase': {
      level: 'debug',
      message: 'partition phase',
      fields: fact => ({ ...place(fact), phase: fact.phase }),
      measure: ({ phase }) => phases.inc({ phase }),
    },
    'group.settled': {
      level: 'info',
      message: 'group settled',
      fields: ({ group, partitions }) => ({ group, partitions }),
      measure: ({ group }) => settled.set({ group }, 1),
    },
    'group.unsettled': {
      // joining and rebalancing are part of every deploy; the other codes tell of something that failed
      level: ({ code }) => (code === 'JOINING' || code === 'REBALANCING' || code === 'REASSIGNED' ? 'info' : 'warn'),
      message: 'group unsettled',
      fields: ({ group, code }) => ({ group, code }),
      measure: ({ group, code }) => {
        settled.set({ group }, 0);
        rebalances.inc({ group, code });
      },
    },
    'group.left': {
      level: 'info',
      message: 'group left',
      fields: ({ group }) => ({ group }),
      measure: ({ group }) => settled.set({ group }, 0),
    },
    'transaction.committed': {
      level: 'debug',
      message: 'transaction committed',
      fields: fact => ({ ...place(fact), records: fact.records, outputs: fact.outputs, ms: fact.ms }),
      measure: fact => {
        records.inc(place(fact), fact.records);
        outputs.inc({ group: fact.group, topic: fact.topic }, fact.outputs);
        transactions.observe({ group: fact.group }, fact.ms / 1000);
      },
    },
    'transaction.failed': {
      level: 'warn',
      message: 'transaction failed',
      fields: fact => ({ ...place(fact), code: fact.code, retryable: fact.retryable }),
      measure: ({ group, code }) => failed.inc({ group, code }),
    },
    'role.state': {
      level: ({ state }) => (state === 'failed' ? 'error' : 'info'),
      message: 'role changed state',
      fields: fact => ({ role: fact.role, state: fact.state, ...(fact.code === undefined ? {} : { code: fact.code }) }),
      measure: fact => {
        for (const state of ROLE_STATES) role.set({ role: fact.role, state }, Number(state === fact.state));
      },
    },
  };
}

function place(fact: { readonly group: string; readonly topic: string; readonly partition: number }): {
  group: string;
  topic: string;
  partition: number;
} {
  return { group: fact.group, topic: fact.topic, partition: fact.partition };
}
