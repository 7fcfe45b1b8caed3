/** The same on Kafka. */
import { kafkaNeeds } from '../kafka/needs.ts';
import { kafkaPlaces } from './places.ts';
import { wireScenarios } from './wire.ts';

wireScenarios('Kafka', kafkaPlaces('wire'), kafkaNeeds().skip);
