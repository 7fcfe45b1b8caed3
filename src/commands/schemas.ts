/** `schemas check` and `schemas register`: our schemas under the subjects of the configured topics. */
import type { Config } from '../config.ts';
import { valueSubject } from '../events/confluent.ts';
import { RegistryError } from '../events/registry-error.ts';
import type { Verdict } from '../events/registry-subjects.ts';
import { type AvroRecord, ENTITIES_SCHEMA, ESCALATION_SCHEMA, NOTE_SCHEMA, REVIEW_SCHEMA } from '../events/schemas.ts';
import { EXIT } from './exit.ts';
import { type Io, report, write } from './io.ts';
import { openRegistry } from './registry-settings.ts';

interface Subject {
  readonly subject: string;
  readonly schema: AvroRecord;
}

/** @returns EXIT.stream when a schema is incompatible. @throws RegistryError */
export async function checkSchemas(config: Config, io: Io): Promise<number> {
  const { subjects } = openRegistry(config, io.now);
  let code: number = EXIT.ok;
  for (const { subject, schema } of subjectsOf(config)) {
    const verdict = await subjects.check(subject, schema);
    await write(io.stdout, describe(subject, verdict));
    if (verdict.kind === 'incompatible') code = EXIT.stream;
  }
  return code;
}

/** All or none: every schema is checked before the first is registered. @throws RegistryError SCHEMA_INCOMPATIBLE */
export async function registerAllSchemas(config: Config, io: Io): Promise<void> {
  const { subjects } = openRegistry(config, io.now);
  const all = subjectsOf(config);
  const refused: string[] = [];
  for (const { subject, schema } of all) {
    const verdict = await subjects.check(subject, schema);
    if (verdict.kind !== 'incompatible') continue;
    refused.push(subject);
    await report(io, describe(subject, verdict).trimEnd());
  }
  if (refused.length > 0) {
    throw new RegistryError(
      'SCHEMA_INCOMPATIBLE',
      `nothing was registered: this version could not read what is in ${refused.join(' and ')} already. ` +
        'Give a new field a default, or use a new topic',
    );
  }
  for (const { subject, schema } of all) {
    const { version, id } = await subjects.register(subject, schema);
    await write(io.stdout, row(subject, `version ${version}`, `id ${id}`));
  }
}

function subjectsOf({ topics }: Config): readonly Subject[] {
  return [
    { subject: valueSubject(topics.notes), schema: NOTE_SCHEMA },
    { subject: valueSubject(topics.entities), schema: ENTITIES_SCHEMA },
    { subject: valueSubject(topics.escalations), schema: ESCALATION_SCHEMA },
    { subject: valueSubject(topics.review), schema: REVIEW_SCHEMA },
  ];
}

function describe(subject: string, verdict: Verdict): string {
  switch (verdict.kind) {
    case 'new':
      return row(subject, 'new', 'nothing is registered yet');
    case 'same': {
      const { version, id } = verdict.registered;
      const latest = version === verdict.latest ? '' : `; the latest is ${verdict.latest}`;
      return row(subject, 'same', `version ${version}, id ${id}${latest}`);
    }
    case 'compatible':
      return row(subject, 'compatible', `can read version ${verdict.latest}; not registered yet`);
    case 'incompatible': {
      const reasons = verdict.reasons.map(reason => `    ${reason}\n`);
      return [row(subject, 'INCOMPATIBLE', `with version ${verdict.latest}`), ...reasons].join('');
    }
  }
}

function row(subject: string, ...cells: readonly string[]): string {
  return `${[subject.padEnd(28), ...cells.map(cell => cell.padEnd(12))].join('  ').trimEnd()}\n`;
}
