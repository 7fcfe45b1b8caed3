/** The error browser's page. Whatever comes from a note is set as text, never as markup. */

const VERDICT_KEYS = { 1: 'tagger-right', 2: 'gold-right', 3: 'border', 4: 'cannot-tell' };
const VERDICT_NAMES = {
  'tagger-right': 'tagger right',
  'gold-right': 'gold right',
  border: 'border only',
  'cannot-tell': 'cannot tell',
};
const PROBLEMS = {
  PAGE_OUTDATED: 'this page is of an earlier start: reload it',
  BORDER_WITHOUT_OVERLAP: 'no span of the other side overlaps this one: the border alone cannot be wrong',
  OUTPUT_FAILED: 'the verdicts file cannot be written',
  VERDICTS_INVALID: 'the verdicts file has lines that are no verdicts, or was shortened: correct it, and start again',
};
const OTHERS_EVERY_MS = 3000;

const $ = id => document.getElementById(id);
const state = { session: '', errors: [], rows: [], shown: [], current: -1, whole: false, next: 0, saving: false };
/** For each error, the last row of each reviewer. */
const verdicts = new Map();

async function ask(path, body) {
  const response = await fetch(
    path,
    body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  );
  const answer = await response.json();
  if (!response.ok) throw new Error(PROBLEMS[answer.code] ?? answer.code);
  return answer;
}

function problem(text) {
  $('problem').textContent = text;
  $('problem').hidden = text === '';
}

const reviewer = () => $('reviewer').value.trim();
const mine = n => verdicts.get(n)?.get(reviewer());

function passes(n) {
  const { task, kind } = state.errors[n];
  const wanted = $('verdict').value;
  const verdict = mine(n)?.verdict;
  return (
    ($('task').value === '' || task === $('task').value) &&
    ($('kind').value === '' || kind === $('kind').value) &&
    (wanted === '' || (wanted === 'none' ? verdict === undefined : verdict === wanted))
  );
}

/** Filters anew. The error in view stays where it still passes; otherwise the one after it, or the first, comes into view. */
function filter(after) {
  state.rows.forEach((row, n) => {
    row.hidden = !passes(n);
  });
  state.shown = state.errors.map((_, n) => n).filter(n => !state.rows[n].hidden);
  $('nothing').hidden = state.shown.length > 0;
  if (!state.shown.includes(state.current)) show(after ?? state.shown[0] ?? -1);
  marks();
}

function marks() {
  const done = state.errors.filter((_, n) => mine(n) !== undefined).length;
  $('progress').textContent =
    `${done} of ${state.errors.length} reviewed by you${reviewer() === '' ? ' (say who you are)' : ''} · ${verdicts.size} by anybody · ${state.shown.length} shown`;
  state.errors.forEach((_, n) => {
    mark(n);
  });
}

function mark(n) {
  const button = state.rows[n].firstChild;
  const verdict = mine(n)?.verdict;
  const { kind, task, mention } = state.errors[n];
  button.classList.toggle('done', verdict !== undefined);
  button.textContent = `${kind.toUpperCase()} ${task}${verdict ? ` (${VERDICT_NAMES[verdict]})` : ''}: ${mention}`;
  button.setAttribute('aria-current', String(n === state.current));
  if (n !== state.current) return;
  for (const each of document.querySelectorAll('[data-verdict]')) {
    each.setAttribute('aria-pressed', String(each.dataset.verdict === verdict));
    each.disabled = each.dataset.verdict === 'border' && !state.errors[n].overlaps;
  }
}

/** Marks the error at once; its words follow. */
async function show(n, whole = false) {
  const before = state.current;
  state.current = n;
  state.whole = whole;
  $('error').hidden = n < 0;
  if (before >= 0) mark(before);
  if (n < 0) return;
  const { document: id, task, kind, start, end, probability } = state.errors[n];
  $('heading').textContent =
    kind === 'fp' ? `False positive: the tagger found a ${task}` : `False negative: the gold has a ${task}`;
  const others = [...(verdicts.get(n)?.keys() ?? [])].filter(name => name !== reviewer()).length;
  $('about').textContent =
    `document ${id} · [${start}, ${end}) · probability ${probability.toFixed(3)}${others > 0 ? ` · reviewed by ${others} more` : ''}`;
  // on the error in view its reviewer may be writing one
  if (n !== before || state.by !== reviewer()) $('comment').value = mine(n)?.comment ?? '';
  state.by = reviewer();
  mark(n);
  state.rows[n].scrollIntoView({ block: 'nearest' });
  try {
    const pieces = await ask(`/api/errors/${n}${whole ? '?whole=1' : ''}`);
    if (state.current !== n || state.whole !== whole) return;
    $('context').replaceChildren(...pieces.map(draw));
    $('context').dataset.error = String(n);
    $('context').querySelector('.focus')?.scrollIntoView({ block: 'nearest' });
  } catch (error) {
    problem(`The note cannot be shown: ${error.message}`);
  }
}

function draw({ text, gold, found, focus }) {
  const span = document.createElement('span');
  span.textContent = text;
  span.className = [gold && 'gold', found && 'found', focus && 'focus'].filter(Boolean).join(' ');
  return span;
}

/** On to the next only once the verdict is on disk. */
async function judge(verdict) {
  const n = state.current;
  if (n < 0 || state.saving) return;
  if (reviewer() === '') {
    problem('Say who you are first.');
    $('reviewer').focus();
    return;
  }
  if (verdict === 'border' && !state.errors[n].overlaps) {
    problem(PROBLEMS.BORDER_WITHOUT_OVERLAP);
    return;
  }
  const row = { error: n, verdict, reviewer: reviewer(), comment: $('comment').value };
  const after = state.shown[state.shown.indexOf(n) + 1];
  // a key pressed before the answer belongs to no error that could be seen: it is not taken
  state.saving = true;
  try {
    await ask('/api/verdicts', { session: state.session, ...row });
  } catch (error) {
    problem(`NOT saved: ${error.message}`);
    return;
  } finally {
    state.saving = false;
  }
  problem('');
  keep(row);
  filter(after);
  if (after !== undefined && state.current === n) show(after);
  others().catch(outOfTouch);
}

function keep(row) {
  if (!verdicts.has(row.error)) verdicts.set(row.error, new Map());
  verdicts.get(row.error).set(row.reviewer, row);
}

function outOfTouch(error) {
  problem(`Out of touch: ${error.message}`);
}

/** Takes in what this and other tabs and reviewers have saved. */
async function others() {
  const { session, next, verdicts: rows, invalid } = await ask(`/api/verdicts?from=${state.next}`);
  if (session !== state.session) throw new Error(PROBLEMS.PAGE_OUTDATED);
  if (invalid.length > 0)
    problem(`No verdict, and left out: line ${invalid.join(', ')} of the verdicts file. Correct it, and start again.`);
  if (next < state.next) return; // a later answer came first
  state.next = next;
  for (const row of rows) {
    keep(row);
    mark(row.error);
  }
  if (rows.length > 0) marks();
}

function step(by) {
  const at = state.shown.indexOf(state.current) + by;
  if (state.shown[at] !== undefined) show(state.shown[at]);
}

function nextOpen() {
  const at = state.shown.indexOf(state.current);
  const order = [...state.shown.slice(at + 1), ...state.shown.slice(0, at + 1)];
  const open = order.find(n => mine(n) === undefined);
  if (open !== undefined) show(open);
}

function onKey(event) {
  if (event.key === 'Escape') document.activeElement?.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || $('summary').open) return;
  if (['INPUT', 'SELECT', 'TEXTAREA'].includes(event.target.tagName)) {
    if (event.key === 'Enter') event.target.blur();
    return;
  }
  const actions = {
    j: () => step(1),
    ArrowDown: () => step(1),
    k: () => step(-1),
    ArrowUp: () => step(-1),
    n: nextOpen,
    w: () => show(state.current, !state.whole),
    c: () => $('comment').focus(),
  };
  const action = VERDICT_KEYS[event.key] ? () => judge(VERDICT_KEYS[event.key]) : actions[event.key];
  if (action === undefined) return;
  event.preventDefault();
  action();
}

async function start() {
  const { session, errors, tasks, title, model, reviewer: proposed } = await ask('/api/errors');
  state.session = session;
  state.errors = errors;
  $('title').textContent = `${title}: errors of ${model}`;
  $('reviewer').value = proposed || localStorage.getItem('reviewer') || '';
  $('task').append(...tasks.map(task => new Option(task, task)));
  state.rows = errors.map((_, n) => {
    const row = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.addEventListener('click', () => show(n));
    row.append(button);
    return row;
  });
  $('list').append(...state.rows);
  await others();
  filter();
  for (const id of ['task', 'kind', 'verdict']) $(id).addEventListener('change', () => filter());
  $('reviewer').addEventListener('input', () => {
    localStorage.setItem('reviewer', reviewer());
    filter();
  });
  for (const each of document.querySelectorAll('[data-verdict]'))
    each.addEventListener('click', () => judge(each.dataset.verdict));
  $('score').addEventListener('click', async () => {
    $('summary-text').textContent = 'Counting …';
    $('summary').showModal();
    try {
      $('summary-text').textContent = (await ask('/api/summary')).text;
    } catch (error) {
      $('summary-text').textContent = error.message;
    }
  });
  document.addEventListener('keydown', onKey);
  setInterval(() => others().catch(outOfTouch), OTHERS_EVERY_MS);
  document.body.dataset.ready = 'yes';
}

start().catch(error => problem(`The page cannot start: ${error.message}`));
