/** The one shape a teacher may answer in: quotes, never offsets, since language models count badly. */
import { z } from 'zod';
import type { Quote } from './teacher.ts';

/** JSON Schema, strict in OpenAI's sense: every property required, no others. */
export const REPLY_SCHEMA = {
  type: 'object',
  properties: {
    mentions: {
      type: 'array',
      items: {
        type: 'object',
        properties: { quote: { type: 'string' } },
        required: ['quote'],
        additionalProperties: false,
      },
    },
  },
  required: ['mentions'],
  additionalProperties: false,
} as const;

const Reply = z.object({ mentions: z.array(z.object({ quote: z.string() })) });

export type ParsedReply =
  | { readonly kind: 'quotes'; readonly quotes: readonly Quote[] }
  | { readonly kind: 'not-json' }
  | { readonly kind: 'wrong-schema' };

/** Models without enforced schemas like to wrap their JSON in a Markdown fence. */
const FENCE = /^\s*```(?:json)?\s*\n(.*)\n\s*```\s*$/s;

/** Never throws, and nothing of the text is in what it says of a bad reply. A blank quote names nothing and is left out. */
export function parseReply(text: string): ParsedReply {
  let json: unknown;
  try {
    json = JSON.parse(FENCE.exec(text)?.[1] ?? text);
  } catch {
    return { kind: 'not-json' };
  }
  const reply = Reply.safeParse(json);
  if (!reply.success) return { kind: 'wrong-schema' };
  const quotes = reply.data.mentions.filter(({ quote }) => quote.trim() !== '').map(({ quote }) => ({ text: quote }));
  return { kind: 'quotes', quotes };
}
