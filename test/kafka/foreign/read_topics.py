"""Reads clinstream's topics with Confluent's Python client (librdkafka) and its own Avro deserializer: nothing here is clinstream's.

For every event it checks what any consumer relies on: the code points [start, end) of the note are the entity's text, the hash is
that of the note, the CloudEvents headers are there. Prints counts; exits 1 when something does not hold.
    pip install 'confluent-kafka[avro,schemaregistry]'
    python read_topics.py BROKERS REGISTRY_URL [PREFIX]
"""

import hashlib
import sys
import uuid

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext


def read(brokers: str, topic: str, deserializer: AvroDeserializer):
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": f"foreign-{uuid.uuid4()}",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    partitions = list(consumer.list_topics(topic, timeout=30).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    open_partitions = set(partitions)
    while open_partitions:
        message = consumer.poll(30)
        if message is None:
            sys.exit(f"{topic}: no answer for 30 s")
        if message.error():
            open_partitions.discard(message.partition())  # end of the partition
            continue
        yield message, deserializer(message.value(), SerializationContext(topic, MessageField.VALUE))
    consumer.close()


def main() -> None:
    brokers, registry_url, *rest = sys.argv[1:]
    prefix = rest[0] if rest else "clinical"
    deserializer = AvroDeserializer(SchemaRegistryClient({"url": registry_url}))
    notes = {note["noteId"]: note for _, note in read(brokers, f"{prefix}.notes", deserializer)}
    events, entities, wrong = 0, 0, 0
    for message, event in read(brokers, f"{prefix}.entities", deserializer):
        events += 1
        headers = {name: value.decode() for name, value in message.headers()}
        text = notes[event["noteId"]]["text"]
        holds = (
            event["offsetUnit"] == "unicode-code-point"
            and event["textSha256"] == hashlib.sha256(text.encode()).hexdigest()
            and headers["ce_id"] == event["eventId"]
            and headers["ce_specversion"] == "1.0"
            and message.key().decode() == event["patientId"]
        )
        for entity in event["entities"]:
            entities += 1
            holds = holds and text[entity["start"] : entity["end"]] == entity["text"]
        wrong += not holds
    print(f"{len(notes)} notes, {events} events, {entities} entities, {wrong} events that do not hold")
    sys.exit(1 if wrong or not events else 0)


if __name__ == "__main__":
    main()
