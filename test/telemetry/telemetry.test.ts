/** If these fail, something happens in production that nobody can see, or a log shows what nobody may see. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { register } from 'prom-client';
import { ALL_FACTS, CANARY, FACTS, type Line, samples, watched } from './facts.ts';

const LABELS = new Set(
  'name version sha256 device requested code task stage group topic partition phase role state kind le teacher outcome reason direction provider alignment'.split(
    ' ',
  ),
);

describe('every fact', () => {
  for (const fact of ALL_FACTS) {
    it(`is one line and changes a metric: ${fact.kind}`, async () => {
      const { telemetry, lines } = watched();
      if (fact.kind === 'partition.lost') telemetry.observe(FACTS['partition.assigned']);
      const before = { lines: lines().length, samples: await samples(telemetry) };
      telemetry.observe(fact);
      assert.notDeepEqual(await samples(telemetry), before.samples);
      const [line, ...more] = lines().slice(before.lines);
      assert.deepEqual(more, []);
      assert.equal(line?.fact, fact.kind);
      assert.notEqual(line?.msg, '');
    });
  }

  it('is told by its fields', () => {
    const { telemetry, lines } = watched();
    for (const fact of ALL_FACTS) telemetry.observe(fact);
    for (const [index, { kind, ...fields }] of ALL_FACTS.entries()) {
      const { level, time, pid, msg, fact, ...told } = lines()[index] as Line;
      assert.ok([level, time, pid, msg].every(value => value !== undefined));
      assert.equal(fact, kind);
      const expected = Object.entries(fields).map(([key, value]) => {
        if (Array.isArray(value)) return [key, value.join()];
        if (typeof value !== 'bigint') return [key, value];
        return [key, key === 'lag' ? Number(value) : String(value)];
      });
      assert.deepEqual(told, Object.fromEntries(expected));
    }
  });
});

describe('metrics', () => {
  it('add up', async () => {
    const { telemetry } = watched();
    for (const fact of [...ALL_FACTS, FACTS['note.tagged'], FACTS['batch.run']]) telemetry.observe(fact);
    const seen = await samples(telemetry);
    const place = 'group="taggers",topic="clinical.notes",partition="2"';
    for (const sample of [
      'clinstream_notes_total 2',
      'clinstream_entities_total{task="medication"} 6',
      'clinstream_batches_total 2',
      'clinstream_batch_tokens_total 1800',
      'clinstream_batch_padding_tokens_total 200',
      'clinstream_queue_tokens 1500',
      'clinstream_note_stage_seconds_sum{stage="infer"} 0.06',
      'clinstream_dead_letters_total{stage="decode",code="NOT_AVRO"} 1',
      `clinstream_partition_lag{${place}} 40`,
      `clinstream_records_committed_total{${place}} 10`,
      'clinstream_outputs_committed_total{group="taggers",topic="clinical.notes"} 11',
      'clinstream_transaction_failures_total{group="taggers",code="GROUP_LOST"} 1',
      'clinstream_worker_replacements_total{code="THREAD_DIED"} 1',
      'clinstream_device_info{device="cpu",requested="auto"} 2',
      'clinstream_notes_escalated_total 1',
      'clinstream_doubts_escalated_total{task="symptom"} 1',
      'clinstream_notes_too_large_total 1',
      'clinstream_escalations_total 1',
      'clinstream_escalations_ended_total{outcome="reviewed",reason="TOO_OLD"} 1',
      'clinstream_escalations_in_flight 0',
      'clinstream_teacher_requests_total{teacher="first",task="symptom",outcome="OK"} 1',
      'clinstream_teacher_tokens_total{teacher="first",direction="input"} 900',
      'clinstream_teacher_usd_total{teacher="first"} 0.25',
      'clinstream_breaker_state{provider="openai",state="open"} 1',
      'clinstream_breaker_state{provider="openai",state="closed"} 0',
      'clinstream_quotes_placed_total{alignment="exact"} 3',
      'clinstream_quotes_dropped_total{reason="absent"} 2',
      'clinstream_role_state{role="tagger",state="ready"} 1',
      'clinstream_role_state{role="tagger",state="draining"} 0',
    ]) {
      assert.ok(seen.includes(sample), `${sample} is missing from\n${seen.join('\n')}`);
    }
  });

  it('forget the lag of a partition that another process reads now', async () => {
    const { telemetry } = watched();
    telemetry.observe(FACTS['partition.lag']);
    telemetry.observe(FACTS['partition.lost']);
    const seen = await samples(telemetry);
    assert.ok(!seen.some(sample => sample.startsWith('clinstream_partition_lag{')));
  });

  it('name one model and one device, the latest', async () => {
    const { telemetry } = watched();
    for (const device of ['cuda', 'cpu']) telemetry.observe({ ...FACTS['device.chosen'], device });
    for (const version of ['1', '2']) telemetry.observe({ ...FACTS['model.loaded'], version });
    const seen = await samples(telemetry);
    assert.equal(seen.filter(sample => sample.startsWith('clinstream_device_info{')).length, 1);
    assert.equal(seen.filter(sample => sample.startsWith('clinstream_model_info{')).length, 1);
  });

  it('are as many after ten thousand notes as after one, with bounded labels only', async () => {
    const { telemetry } = watched('silent');
    for (const fact of ALL_FACTS) telemetry.observe(fact);
    const before = (await samples(telemetry)).length;
    for (let index = 0; index < 10_000; index++) {
      telemetry.observe({ ...FACTS['note.tagged'], noteId: `note-${index}` });
      telemetry.observe({ ...FACTS['record.dead-lettered'], offset: BigInt(index) });
      telemetry.observe({ ...FACTS['worker.replaced'], worker: index });
      telemetry.observe({ ...FACTS['partition.assigned'], position: BigInt(index) });
    }
    const after = await samples(telemetry);
    assert.equal(after.length, before);
    const labels = after.flatMap(sample => [...sample.matchAll(/(\w+)="/g)].map(match => match[1] ?? ''));
    assert.deepEqual(
      [...new Set(labels)].filter(label => !LABELS.has(label)),
      [],
    );
  });

  it('stay out of the registry that the whole process shares', async () => {
    watched().telemetry.observe(FACTS['note.tagged']);
    assert.equal(await register.metrics(), '\n');
  });
});

describe('the log', () => {
  it('at info does not grow with the load', () => {
    const { telemetry, lines } = watched('info');
    for (const fact of ALL_FACTS) telemetry.observe(fact);
    const told = new Set(lines().map(line => line.fact));
    const quiet = [
      'note.tagged',
      'batch.run',
      'note.shadowed',
      'record.passed-over',
      'queue.changed',
      'transaction.committed',
      'partition.lag',
      'partition.phase',
      'note.escalated',
      'escalation.taken',
      'escalation.ended',
      'teacher.asked',
      'reply.reused',
      'provider.busy',
      'budget.used',
      'quotes.grounded',
    ];
    assert.deepEqual(
      ALL_FACTS.map(fact => fact.kind)
        .filter(kind => !told.has(kind))
        .sort(),
      quiet.sort(),
    );
  });

  it('tells a failed role as an error', () => {
    const { telemetry, lines } = watched();
    telemetry.observe({ kind: 'role.state', role: 'tagger', state: 'failed', code: 'WORKERS_LOST' });
    assert.equal(lines()[0]?.level, 'error');
    assert.equal(lines()[0]?.code, 'WORKERS_LOST');
  });

  it('and the metrics leave out what a fact holds beyond its type', async () => {
    const { telemetry, text } = watched('trace');
    for (const fact of ALL_FACTS) {
      const beyond = { text: CANARY, patientId: CANARY, cause: new Error(CANARY) };
      telemetry.observe({ ...fact, ...beyond });
    }
    assert.ok(!text().includes(CANARY));
    assert.ok(!(await telemetry.registry.metrics()).includes(CANARY));
  });
});

describe('observing', () => {
  it('never throws into the part that reports', async () => {
    const { telemetry, lines, text } = watched();
    telemetry.observe({ ...FACTS['batch.run'], windows: Number.NaN, runMs: CANARY as unknown as number });
    assert.equal(lines()[0]?.msg, 'fact not recorded');
    assert.ok(!text().includes(CANARY));
    assert.ok((await samples(telemetry)).includes('clinstream_facts_unrecorded_total{kind="batch.run"} 1'));
  });

  it('keeps the latest state of every role', () => {
    const { telemetry } = watched();
    telemetry.observe({ kind: 'role.state', role: 'tagger', state: 'starting' });
    telemetry.observe({ kind: 'role.state', role: 'tagger', state: 'ready' });
    assert.deepEqual([...telemetry.roles], [['tagger', 'ready']]);
  });
});
