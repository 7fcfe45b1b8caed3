/** What a measurement was made with and on: without it a number cannot be compared with any other. */

/** What the record of a measurement with one model begins with. */
export interface Origin {
  /** As a user would type it again. */
  readonly command: string;
  readonly commit: string;
  readonly machine: string;
  readonly model: { readonly name: string; readonly version: string; readonly sha256: string };
}

export interface Provenance {
  /** As a user would type it again. */
  readonly command: string;
  /** Of the program that measured, with `-dirty` when files differ from it. */
  readonly commit: string;
  /** ISO 8601, UTC, at the start. */
  readonly date: string;
  readonly machine: {
    readonly cpu: string;
    /** Logical ones that the process may use. */
    readonly cores: number;
    /** Those of `FLAGS` that it has; empty where the system does not tell. */
    readonly cpuFlags: readonly string[];
    readonly memoryBytes: number;
    readonly system: string;
    /** Processes that ran or waited to, on average over 1, 5 and 15 minutes before the start; zeros where the system does not tell. */
    readonly loadAverage: readonly number[];
  };
  readonly versions: Readonly<Record<string, string>>;
}

/** Instructions that int8 and floating-point kernels choose by, on x64 and on ARM. */
const FLAGS = [
  ...['sse4_1', 'avx', 'f16c', 'fma', 'avx2', 'avx_vnni', 'avx512f', 'avx512bw', 'avx512vl', 'avx512_vnni'],
  ...['avx512_bf16', 'avx512_fp16', 'amx_tile', 'amx_int8', 'amx_bf16', 'asimd', 'asimddp', 'i8mm', 'bf16', 'sve'],
];

/** @param cpuinfo content of /proc/cpuinfo: x64 calls the line flags, ARM calls it Features. */
export function cpuFlags(cpuinfo: string): string[] {
  const has = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1]?.trim().split(/\s+/));
  return FLAGS.filter(flag => has.has(flag));
}

/** The fastest instructions for int8 that a processor has, by which machines of one name differ several times; empty when it has none of them. */
export function int8Instructions(flags: readonly string[]): string {
  const known = {
    amx_int8: 'AMX',
    avx512_vnni: 'AVX-512 VNNI',
    avx_vnni: 'AVX-VNNI',
    avx2: 'AVX2',
    i8mm: 'I8MM',
    asimddp: 'DOTPROD',
  };
  return Object.entries(known).find(([flag]) => flags.includes(flag))?.[1] ?? '';
}

/**
 * Whether others took so much of the machine, just before, that timings say little: a third of its cores or more.
 * @param loadAverage of the last minute.
 */
export function isBusy(loadAverage: number, cores: number): boolean {
  return loadAverage >= cores / 3;
}

/** Lines of a list in Markdown. */
export function provenanceLines(provenance: Provenance): string[] {
  const { command, commit, date, machine, versions } = provenance;
  const { cpu, cores, cpuFlags: flags, memoryBytes, system, loadAverage } = machine;
  const load = loadAverage.map(each => each.toFixed(2)).join(', ');
  const busy = isBusy(loadAverage[0] ?? 0, cores) ? ' **Others were at work on the machine: measure again.**' : '';
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `- Command: \`${command}\`, at ${commit}, ${date}`,
    `- Machine: ${cores} × ${cpu} (${flags.join(' ') || 'flags unknown'}), ${(memoryBytes / 1e9).toFixed(1)} GB, ${system}; ${named.join(', ')}`,
    `- Load average at the start: ${load}.${busy}`,
  ];
}
