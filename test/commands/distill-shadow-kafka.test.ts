/** If this fails, a shadow on someone's Kafka would take partitions of the tagger, or read notes that it must not. */
import { kafkaNeeds } from '../kafka/needs.ts';
import { freshKafka } from './kafka-place.ts';
import { besideTheTagger } from './shadow-beside.ts';

besideTheTagger('Kafka', async () => ({ ...(await freshKafka()), args: [] }), kafkaNeeds().skip);
