/** The same on Kafka. */
import { kafkaNeeds } from '../kafka/needs.ts';
import { kafkaPlaces } from './places.ts';
import { scenarios } from './scenarios.ts';

scenarios('Kafka', kafkaPlaces('escalation'), kafkaNeeds().skip);
