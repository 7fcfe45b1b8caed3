/** How the launcher runs programs: under a guard that ends with its owner, or on their own as `npm run kafka:up` wants it. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Takes what the program prints, behind what is there already. */
  readonly log: string;
}

export interface Running {
  readonly pid: number;
  /** The exit code, the signal, or why it did not start. */
  readonly ended: Promise<number | string>;
}

export interface Runner {
  /** Everything that its programs write is in here. */
  readonly folder: string;
  /** One program at a time. */
  start(command: Command): Promise<Running>;
}
