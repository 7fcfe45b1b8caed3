/** The files of a commit in a folder of their own outside the repository, ready to run; all of them are taken away again. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CompareError } from './compare-error.ts';
import { ROOT } from './program.ts';

export interface Tree {
  readonly root: string;
  /** Of the commit, 12 digits. */
  readonly commit: string;
}

export interface Trees {
  /** @throws CompareError NOT_A_CHECKOUT, COMMIT_UNKNOWN, COMMIT_NOT_INSTALLED */
  checkOut(commit: string): Promise<Tree>;
  /** Idempotent; also runs when the process exits. */
  remove(): void;
}

const run = promisify(execFile);
const HASH_DIGITS = 12;

/** @param options.tell what takes long. @param options.interrupted ends an installation. */
export function openTrees({ tell, interrupted }: { tell: (text: string) => void; interrupted: AbortSignal }): Trees {
  const base = mkdtempSync(join(tmpdir(), 'clinstream-trees-'));
  const trees = new Map<string, Tree>();
  const remove = (): void => {
    process.off('exit', remove);
    for (const { root } of trees.values()) removeWorktree(root);
    trees.clear();
    rmSync(base, { recursive: true, force: true });
  };
  process.on('exit', remove);
  return {
    async checkOut(name) {
      const commit = await commitOf(name);
      const known = trees.get(commit);
      if (known !== undefined) return known;
      const tree = { root: join(base, commit), commit: commit.slice(0, HASH_DIGITS) };
      trees.set(commit, tree);
      await addWorktree(tree, commit);
      if (hasSamePackages(tree.root)) linkPackages(tree.root);
      else await install(tree, { name, tell, interrupted });
      return tree;
    },
    remove,
  };
}

/** The whole hash. */
async function commitOf(name: string): Promise<string> {
  const prefix = await git('rev-parse', '--show-prefix').catch(() => undefined);
  // a copy without its history inside some other project's checkout is none of ours
  if (prefix?.trim() !== '') {
    const why = `${ROOT} is no git checkout: only configurations can be compared here, not the commit ${name}`;
    throw new CompareError('NOT_A_CHECKOUT', why);
  }
  try {
    return (await git('rev-parse', '--verify', '--end-of-options', `${name}^{commit}`)).trim();
  } catch (cause) {
    const why = `${name} is no commit that git knows in ${ROOT}; a configuration's name ends in .json`;
    throw new CompareError('COMMIT_UNKNOWN', why, { cause });
  }
}

async function addWorktree({ root }: Tree, commit: string): Promise<void> {
  try {
    await git('-c', 'core.hooksPath=/dev/null', 'worktree', 'add', '--quiet', '--detach', root, commit);
  } catch (cause) {
    const said = String((cause as { stderr?: unknown }).stderr ?? '').trim();
    const why = `git cannot put the files of ${commit} into ${root}: ${said.split('\n').at(-1)}`;
    throw new CompareError('COMMIT_NOT_INSTALLED', why, { cause });
  }
}

function linkPackages(root: string): void {
  symlinkSync(realpathSync(join(ROOT, 'node_modules')), join(root, 'node_modules'), 'junction');
}

function hasSamePackages(root: string): boolean {
  const [mine, other] = [ROOT, root].map(each => {
    try {
      return readFileSync(join(each, 'package-lock.json'), 'utf8');
    } catch {
      return undefined;
    }
  });
  return mine !== undefined && mine === other;
}

async function install(
  { root, commit }: Tree,
  { name, tell, interrupted }: { name: string; tell: (text: string) => void; interrupted: AbortSignal },
): Promise<void> {
  tell(`${name} has other packages than this checkout: npm ci for ${commit} …\n`);
  try {
    const options = {
      cwd: root,
      signal: interrupted,
      shell: process.platform === 'win32',
      maxBuffer: 64 * 1024 * 1024,
    };
    await run('npm', ['ci', '--no-audit', '--no-fund'], options);
  } catch (cause) {
    interrupted.throwIfAborted();
    const last = String((cause as { stderr?: unknown }).stderr ?? '')
      .split('\n')
      .find(line => /^npm (error|ERR!) \S/.test(line));
    throw new CompareError('COMMIT_NOT_INSTALLED', `npm ci failed for ${name}: ${last ?? 'npm does not start'}`, {
      cause,
    });
  }
}

async function git(...args: string[]): Promise<string> {
  return (await run('git', args, { cwd: ROOT, encoding: 'utf8' })).stdout;
}

/** Done at once, since a process that exits waits for nothing. */
function removeWorktree(root: string): void {
  try {
    rmSync(join(root, 'node_modules'), { recursive: true, force: true }); // of a link, the link only
    execFileSync('git', ['worktree', 'remove', '--force', root], { cwd: ROOT, stdio: 'ignore' });
  } catch {
    // it was never made; its folder goes with all others
  }
}
