/** If these fail, a doubtful note is lost, paid for twice, or shown to somebody it must not be shown to. On the embedded log. */
import { embeddedPlaces } from './places.ts';
import { scenarios } from './scenarios.ts';

scenarios('the embedded log', embeddedPlaces('scenarios'));
