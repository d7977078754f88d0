"""A schema registry: the id in front of a record's bytes enters, plain data leaves.

`client` asks the registry, `avro` and `protobuf` make readers of its schemas, `decoding` remembers them.
The next room: `sources.decode`, which is given one of these and never knows which registry it speaks to.
"""
