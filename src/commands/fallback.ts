/** What the fallback is made of, put together: the router asks, teachers answer, and their quotes are placed. */
import { groundNote } from '../escalation/ground-note.ts';
import { loadRouting } from '../model/routing.ts';
import { Router } from '../tagging/router.ts';
import type { Fallback } from './run.ts';

export const fallback: Fallback = {
  // loaded only where it is used: the tagger needs none of it
  createTeacher: async of => (await import('../teachers/create-teacher.ts')).createTeacher(of),
  ground: groundNote,
  doubtsOf: ({ escalation }, model) => {
    const router = new Router({ routing: loadRouting(model), rules: escalation.tasks });
    return tagged => router.doubts(tagged);
  },
};
