/** A page that needs nothing but itself: notes with highlighted mentions, written note by note so that it never fills memory. */
import type { Entity, Task } from '../../core/span.ts';
import { escapeHtml } from '../../text/escape-html.ts';
import type { Segment } from './segments.ts';

export interface HtmlNote {
  readonly id: string;
  readonly parts: readonly Segment[];
  readonly entities: readonly Entity[];
  readonly tasks: readonly { readonly task: Task; readonly confidence: number }[];
}

const HUES: readonly number[] = [210, 355, 42, 285, 130];

/** Everything before the first note. @param tasks in the order of their colours. */
export function htmlHead(title: string, tasks: readonly Task[]): string {
  const colours = tasks
    .map((_, i) => {
      const hue = HUES[i % HUES.length];
      return `.t${i}{--c:hsl(${hue} 75% 86%);--e:hsl(${hue} 60% 42%)}@media(prefers-color-scheme:dark){.t${i}{--c:hsl(${hue} 45% 26%);--e:hsl(${hue} 70% 68%)}}`;
    })
    .join('\n');
  const keys = tasks
    .map(
      (task, i) =>
        `<label class="t${i} key"><input type="checkbox" checked data-task="${i}"> ${escapeHtml(task)}</label>`,
    )
    .join(' ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
:root{color-scheme:light dark}
body{font:15px/1.55 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:0 1rem 3rem}
header{position:sticky;top:0;background:Canvas;padding:.8rem 0;border-bottom:1px solid color-mix(in srgb,CanvasText 20%,Canvas);z-index:1}
h1{font-size:1.15rem;margin:0 0 .4rem}h2{font-size:.95rem;margin:1.6rem 0 .3rem;font-weight:600}
h2 small{font-weight:400;opacity:.7;margin-left:.6rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;margin:0;padding:.8rem 1rem;border:1px solid color-mix(in srgb,CanvasText 15%,Canvas);border-radius:.4rem}
mark,.key{background:var(--c);color:inherit;border-bottom:2px solid var(--e);border-radius:.2rem;padding:0 .15rem}
.key{padding:.15rem .5rem;margin-right:.3rem;cursor:pointer}
mark.off{background:none;border-color:transparent}
#filter{font:inherit;padding:.15rem .5rem;margin-left:.5rem}
${colours}
</style></head><body>
<header><h1>${escapeHtml(title)}</h1>${keys}<input id="filter" type="search" placeholder="Filter notes by a mention" aria-label="Filter notes by a mention"></header>
<main>
`;
}

/** The newline after `<pre>` is the one that HTML drops; the note's own first newline survives. */
export function htmlNote(note: HtmlNote, tasks: readonly Task[]): string {
  const body = note.parts.map(part => renderPart(part, tasks)).join('');
  const confidences = note.tasks.map(each => `${escapeHtml(each.task)} ${each.confidence.toFixed(2)}`).join(' · ');
  return `<article><h2>${escapeHtml(note.id)}<small>${note.entities.length} mentions · confidence: ${confidences}</small></h2><pre>\n${body}</pre></article>\n`;
}

function renderPart(part: Segment, tasks: readonly Task[]): string {
  const text = escapeHtml(part.text).replace(/\r/g, '&#13;');
  return part.entities.reduceRight((inner, entity) => {
    const index = tasks.indexOf(entity.task);
    const title = `${entity.task} ${entity.confidence.toFixed(3)} [${entity.start}, ${entity.end})`;
    return `<mark class="t${index}" data-task="${index}" title="${escapeHtml(title)}">${inner}</mark>`;
  }, text);
}

export const HTML_TAIL = `</main>
<script>
for (const box of document.querySelectorAll('input[data-task]'))
  box.addEventListener('change', () => {
    for (const mark of document.querySelectorAll('mark[data-task="' + box.dataset.task + '"]')) mark.classList.toggle('off', !box.checked);
  });
document.querySelector('#filter').addEventListener('input', event => {
  const wanted = event.target.value.trim().toLowerCase();
  for (const note of document.querySelectorAll('article'))
    note.hidden = wanted !== '' && ![...note.querySelectorAll('mark')].some(mark => mark.textContent.toLowerCase().includes(wanted));
});
</script>
</body></html>
`;
