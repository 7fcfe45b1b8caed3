/** `distill promote` and `distill rollback`: what serves in a store changes only after its gates, and back in one step. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ConfigError } from '../config.ts';
import { install, rollBack } from '../distill/change-store.ts';
import { DistillError } from '../distill/distill-error.ts';
import { type Limits, lineOf, nameOf } from '../distill/gates.ts';
import { type Judgement, type JudgeOptions, judge } from '../distill/judge.ts';
import { checkMetrics } from '../distill/metrics-file.ts';
import { contentHash } from '../distill/model-content.ts';
import { rounded } from '../distill/rounded.ts';
import { lockStore } from '../distill/store-lock.ts';
import { writeWhole } from '../distill/write-whole.ts';
import { loadModel, type VerifiedModel } from '../model/manifest.ts';
import { ModelError } from '../model/model-error.ts';
import { readStore } from '../model/store.ts';
import { type Io, write } from './io.ts';
import { currentCommit, thisMachine } from './provenance.ts';

export interface PromoteFlags {
  readonly candidate: string;
  readonly store: string;
  readonly corpus: string;
  readonly file: string;
  readonly split: 'dev' | 'test';
  readonly task?: ReadonlyMap<string, readonly string[]>;
  readonly allowUnjudged?: boolean;
  readonly rounds: number;
  readonly minF1: number;
  readonly maxEce: number;
  readonly minSpeed: number;
  readonly maxMb: number;
  readonly maxShared: number;
  readonly allowOtherData?: boolean;
  readonly dryRun?: boolean;
  readonly force?: string;
  readonly json?: string;
}

/**
 * @throws DistillError PROMOTION_REFUSED where a gate fails, STORE_BUSY, or as judge and install. @throws ModelError when the candidate is
 * no model: no reason forces that.
 */
export async function distillPromote(flags: PromoteFlags, io: Io): Promise<void> {
  check(flags);
  const directory = resolve(flags.store);
  const candidate = loadModel(resolve(flags.candidate));
  const lock = flags.dryRun === true ? undefined : lockStore(directory);
  try {
    await promote(directory, candidate, flags, io);
  } finally {
    lock?.release();
  }
}

async function promote(directory: string, candidate: VerifiedModel, flags: PromoteFlags, io: Io): Promise<void> {
  const store = readStore(directory);
  const serving = store === null ? null : loadModel(join(directory, store.serving));
  checkMetrics(candidate);
  const judged = contentHash(candidate);
  const judgement = await judge(candidate, serving, judgeOptions(flags, io));
  for (const gate of judgement.gates) await write(io.stdout, `${lineOf(gate)}\n`);
  for (const precision of Object.keys(judgement.graphsNotRun))
    await write(io.stdout, `note  graph ${precision}: no gate ran it, and a GPU would serve it\n`);
  const report = reportOf(flags, judgement, io);
  if (flags.json !== undefined) writeWhole(resolve(flags.json), `${JSON.stringify(report, rounded, 1)}\n`);
  const failed = judgement.gates.filter(each => !each.passed).map(nameOf);
  if (failed.length > 0 && flags.force === undefined) {
    const why = `${failed.length} of ${judgement.gates.length} gates failed (${failed.join(', ')}): nothing was changed`;
    throw new DistillError('PROMOTION_REFUSED', why, { details: { failed: failed.join(', ') } });
  }
  if (flags.dryRun === true) return write(io.stdout, 'All gates pass; nothing was changed.\n');
  if (serving !== null && judged === contentHash(serving))
    return write(io.stdout, `${store?.serving} serves already: nothing was changed.\n`);
  io.stderr.write('promote: copying and verifying\n');
  const { command, commit, at: _measured, ...gates } = report;
  const folder = await install(directory, candidate, judged, {
    at: new Date(io.now()).toISOString(),
    from: resolve(flags.candidate),
    command,
    commit,
    ...(failed.length > 0 && flags.force !== undefined ? { forced: flags.force } : {}),
    report: JSON.parse(JSON.stringify(gates, rounded)) as Record<string, unknown>,
  });
  const inSpite = failed.length === 0 ? '' : `, in spite of ${failed.join(', ')}`;
  await write(io.stdout, `${folder} serves from now on${inSpite}.\n`);
}

/** @throws DistillError ROLLBACK_REFUSED, STORE_BUSY. @throws ModelError when the model to go back to is not whole. */
export async function distillRollback(flags: { readonly store: string; readonly to?: string }, io: Io): Promise<void> {
  const directory = resolve(flags.store);
  if (readStore(directory) === null)
    throw new DistillError(
      'ROLLBACK_REFUSED',
      `nothing was ever promoted into ${directory}: there is nothing to go back to`,
    );
  const lock = lockStore(directory);
  try {
    const to = flags.to === undefined ? '' : ` --to ${flags.to}`;
    const { folder, from } = await rollBack(directory, flags.to, {
      at: new Date(io.now()).toISOString(),
      command: `npm run -s clinstream -- distill rollback --store STORE${to}`,
      commit: currentCommit(),
    });
    await write(io.stdout, `${folder} serves from now on, in place of ${from}.\n`);
  } finally {
    lock.release();
  }
}

function check({ store, dryRun, force, rounds }: PromoteFlags): void {
  if (existsSync(join(resolve(store), 'manifest.json'))) {
    const why = `--store ${store} is a model: a store is a folder of its own, into which models are copied`;
    throw new ModelError('STORE_INVALID', why);
  }
  if (dryRun === true && force !== undefined)
    throw new ConfigError('CONFIG_INVALID', '--dry-run changes nothing, and --force is for a change: give one of them');
  if (force?.trim() === '') throw new ConfigError('CONFIG_INVALID', '--force needs a reason');
  if (rounds < 1) throw new ConfigError('CONFIG_INVALID', '--rounds: at least one is needed');
}

function judgeOptions(flags: PromoteFlags, io: Io): JudgeOptions {
  return {
    corpusDirectory: resolve(flags.corpus),
    file: flags.file,
    split: flags.split,
    ...(flags.task === undefined ? {} : { tasks: flags.task }),
    limits: limitsOf(flags),
    rounds: flags.rounds,
    progress: line => void io.stderr.write(`${line}\n`),
  };
}

function limitsOf({ minF1, maxEce, minSpeed, maxMb, maxShared, allowOtherData, allowUnjudged }: PromoteFlags): Limits {
  return {
    f1: minF1,
    allowUnjudged: allowUnjudged === true,
    ece: maxEce,
    speed: minSpeed,
    bytes: maxMb * 1e6,
    leak: maxShared,
    allowOtherData: allowOtherData === true,
  };
}

/** Numbers, ids and hashes; no text, and no folder of this machine. */
function reportOf(flags: PromoteFlags, judgement: Judgement, io: Io) {
  return {
    command: commandOf(flags),
    commit: currentCommit(),
    machine: thisMachine(),
    at: new Date(io.now()).toISOString(),
    limits: limitsOf(flags),
    ...judgement,
  };
}

/** The command line again, without the folders of this machine. */
function commandOf(flags: PromoteFlags): string {
  const { candidate, file, split, task, rounds, minF1, maxEce, minSpeed, maxMb, maxShared } = flags;
  return [
    `npm run -s clinstream -- distill promote --candidate ${basename(resolve(candidate))} --store STORE --corpus CORPUS`,
    `--file ${file} --split ${split}`,
    ...Array.from(task ?? [], ([name, types]) => `--task ${name}=${types.join(',')}`),
    ...(flags.allowUnjudged === true ? ['--allow-unjudged'] : []),
    `--rounds ${rounds} --min-f1 ${minF1} --max-ece ${maxEce} --min-speed ${minSpeed} --max-mb ${maxMb} --max-shared ${maxShared}`,
    ...(flags.allowOtherData === true ? ['--allow-other-data'] : []),
    ...(flags.dryRun === true ? ['--dry-run'] : []),
    ...(flags.force === undefined ? [] : [`--force ${JSON.stringify(flags.force)}`]),
  ].join(' ');
}
