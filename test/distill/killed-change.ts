/** A promotion in a process of its own that is killed before its nth step that writes. Arguments: STORE CANDIDATE N. */
import { install } from '../../src/distill/change-store.ts';
import { contentHash } from '../../src/distill/model-content.ts';
import { lockStore } from '../../src/distill/store-lock.ts';
import { loadModel } from '../../src/model/manifest.ts';
import { breakDisk } from '../support/failing-disk.ts';

const [store = '', candidate = '', nth] = process.argv.slice(2);
const model = loadModel(candidate);
const lock = lockStore(store);
const judged = contentHash(model);
breakDisk('kill', Number(nth));
const why = { at: '2026-11-25T12:00:00.000Z', command: 'test', commit: 'test', from: candidate };
await install(store, model, judged, why);
lock.release();
