/** If these fail, a provider that misbehaves costs a note, money, or the truth of what stands in it. On the embedded log. */
import { embeddedPlaces } from './places.ts';
import { wireScenarios } from './wire.ts';

wireScenarios('the embedded log', embeddedPlaces('wire'));
