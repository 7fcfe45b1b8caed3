export { writeWhole } from '../distill/write-whole.ts';
